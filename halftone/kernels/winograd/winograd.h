// A Conv of 3x3 windows, stride 1, with 2.25 times fewer products: four outputs share 16 products of transformed inputs and weights.
// Y = Aᵀ[(G w Gᵀ) ∘ (Bᵀ x B)]A, F(2x2, 3x3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), section
// 4.1. Here G is twice theirs, so that all is whole numbers and Y is four times the sum, exactly: x of 8 bits makes 11, w makes 12.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "halftone/kernels/isa.h"
#include "halftone/kernels/linear/linear.h"

namespace halftone::kernels {

// Two rows of outputs: y[r][p][m] = requantize(bias[m] + Σ x[(r + i)·x_row + (p + j)·x_pixel + k]·w[m][i][j][k]) over i, j < 3 and k.
struct WinogradRun {
  const std::uint8_t* x = nullptr;
  std::ptrdiff_t x_row = 0;
  std::ptrdiff_t x_pixel = 0;
  std::int64_t rows = 2;  // that are there: 1 or 2
  std::int64_t pixels = 0;
  std::uint8_t* y = nullptr;
  std::ptrdiff_t y_row = 0;
  std::ptrdiff_t y_pixel = 0;
};

class Winograd {
 public:
  virtual ~Winograd() = default;
  virtual std::int64_t panels() const = 0;
  virtual void run(const WinogradRun& rows, std::int64_t panel) const = 0;
};

// Weights [M][3][3][K], as three taps or as nine; ranges are not looked at. nullptr where the instruction set gains nothing by it, or
// where four times a sum may leave 32 bits.
std::unique_ptr<Winograd> pack_winograd(Isa isa, const LinearWeights& weights, const Requantization& requantization);

}  // namespace halftone::kernels
