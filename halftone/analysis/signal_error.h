// How far numbers x̂ lie from the numbers x they stand for.
#pragma once

#include <cstdint>
#include <span>

#include "halftone/base/tensor.h"

namespace halftone::analysis {

// Sums in double, in the order of the elements.
struct SignalSums {
  double xx = 0.0;  // Σ x²
  double yy = 0.0;  // Σ x̂²
  double xy = 0.0;  // Σ x·x̂
  double dd = 0.0;  // Σ (x − x̂)²
  std::int64_t count = 0;
  bool operator==(const SignalSums&) const = default;

  // As many numbers in both.
  void add(std::span<const float> x, std::span<const float> x_hat);
  void add(const SignalSums& other);

  // 10·log10(Σ x² / Σ (x − x̂)²) in dB: +∞ without any error, −∞ where x is zero and x̂ is not.
  double sqnr() const;
  // Σ x·x̂ / (‖x‖·‖x̂‖); of two zeros 1.
  double cosine() const;
  // ‖x − x̂‖ / ‖x‖; without any error 0.
  double relative_rms() const;
};

// The sums of two tensors of any type and of equal size.
SignalSums signal_sums(const Tensor& x, const Tensor& x_hat);

}  // namespace halftone::analysis
