// The problem of choosing the integers of a layer's weights, once its inputs are known: a quadratic in every
// output channel's weights.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace halftone::ptq {

// For weights ŵ [K] of output channel m, inputs x̂ [K] as the quantized network has them and the float
// network's outputs y_m, over samples and places,
//   E[(ŵ·x̂ − y_m)²] = ŵᵀHŵ − 2·ŵᵀc_m + const, H = E[x̂x̂ᵀ], c_m = E[y_m·x̂].
// (Nagel et al., AdaRound, ICML 2020, equation 21; Frantar et al., GPTQ, ICLR 2023, equation 1.) Where the bias
// is corrected afterwards, H and c are those of x̂ and y less their means.
struct LayerProblem {
  std::int64_t channels = 0;   // M
  std::int64_t inputs = 0;     // K
  std::vector<float> hessian;  // H [K, K]
  std::vector<float> target;   // c [M, K]
  std::vector<float> weights;  // w [M, K], the float ones

  std::span<const float> target_of(std::int64_t m) const { return row(target, m); }
  std::span<const float> weights_of(std::int64_t m) const { return row(weights, m); }
  std::span<const float> hessian_of(std::int64_t k) const { return row(hessian, k); }

 private:
  std::span<const float> row(const std::vector<float>& all, std::int64_t i) const {
    return std::span(all).subspan(static_cast<std::size_t>(i * inputs), static_cast<std::size_t>(inputs));
  }
};

// The values that ŵ of one channel may have: scale·u, u = lo, lo + step, …, hi.
struct Grid {
  double scale = 1.0;
  std::int32_t lo = 0;
  std::int32_t hi = 0;
  std::int32_t step = 1;  // 2 for binary weights

  std::int32_t nearest(double u) const;
};

// The grids of a layer: each channel's inputs share one, or each `share` of them in turn.
struct Grids {
  std::int64_t share = 1;
  std::int64_t per_channel = 1;
  std::vector<Grid> all;  // [M, per_channel]

  const Grid& at(std::int64_t m, std::size_t k) const {
    return all[static_cast<std::size_t>(m * per_channel + static_cast<std::int64_t>(k) / share)];
  }
};

// Adds factor·mean(diag H) to H's diagonal, and as much of w to c: where the samples say nothing, weights stay
// as they were.
void damp(LayerProblem& problem, double factor);

// The parts of the loss ŵᵀHŵ − 2·ŵᵀc of channel m; the best s of s·ŵ is linear/quadratic.
struct Forms {
  double quadratic = 0.0;  // ŵᵀHŵ
  double linear = 0.0;     // ŵᵀc

  double loss() const { return quadratic - 2.0 * linear; }
};

inline constexpr std::int64_t kChannelsAtOnce = 16;  // of work on whole channels

// A choice of integers, with what follows from it.
struct Rounding {
  std::vector<std::int32_t> u;   // [M, K]
  std::vector<double> response;  // Hŵ [M, K]
};
Rounding with_response(const LayerProblem& problem, const Grids& grids, std::vector<std::int32_t> u, int threads);

Forms forms_of(const LayerProblem& problem, const Grids& grids, std::int64_t m, const Rounding& rounding);

}  // namespace halftone::ptq
