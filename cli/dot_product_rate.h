// The ceiling that times are held against.
#pragma once

namespace halftone::cli {

// Multiply-adds a second of the processor's dot product instruction on registers, for some 50 microseconds: on so many cores at once,
// or on all where there are fewer. 0 where the processor has no such instruction that kernels use.
double dot_product_rate(int threads);

}  // namespace halftone::cli
