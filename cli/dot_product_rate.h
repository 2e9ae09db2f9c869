// The ceiling that times are held against.
#pragma once

namespace halftone::cli {

// Multiply-adds a second of the processor's dot product instruction on registers, on so many cores at once, for some 50 microseconds;
// 0 where the processor has none that kernels use.
double dot_product_rate(int threads);

}  // namespace halftone::cli
