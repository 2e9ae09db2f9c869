// Square matrices [n, n] by rows, in double: the factors that solving with H and its inverse take.
#pragma once

#include <cstddef>
#include <vector>

namespace halftone::numeric {

// The upper triangular U with UᵀU = h⁻¹, of a symmetric positive definite h; empty when h is not. From h = MMᵀ with M
// upper triangular, U = M⁻¹: n³/6 multiply-adds each. The same bits for any number of threads.
std::vector<double> inverse_root(std::vector<double> h, std::size_t n, int threads);

}  // namespace halftone::numeric
