// The most that one core can multiply and add, in float32: the ceiling of a training.
#pragma once

namespace halftone {

// Multiply-adds a second of the widest FMA the processor has, on registers alone: the best of some that take
// a tenth of a second together. 0 where it has none.
double fma_rate();

}  // namespace halftone
