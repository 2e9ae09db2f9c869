// Fresh weights: random numbers whose spread keeps signals and gradients of equal size from layer to layer.
#pragma once

#include <cstdint>
#include <random>

#include "halftone/base/tensor.h"

namespace halftone::models {

enum class Init {
  kaiming,  // uniform in [−bound, bound), bound = √(6 / fan_in), before ReLU. Source: He et al., ICCV 2015,
            // section 2.2
  kaiming_normal,  // of the same spread, √(2 / fan_in), and the shape of a normal distribution: the sum of 12
                   // uniform numbers, within 6 standard deviations
  xavier,  // uniform, bound = √(6 / (fan_in + fan_out)), elsewhere. Source: Glorot and Bengio, AISTATS
           // 2010, formula 16
};

// Random weights [out, in, spatial...], fan_in and fan_out counting the spatial elements. The same state of
// `random` gives the same bytes on every machine: the standard fixes the engine's sequence (not that of its
// distributions).
Tensor random_weights(Shape shape, Init init, std::mt19937_64& random);

// `count` numbers uniform in [centre − spread, centre + spread), shape [count]; alike on every machine.
Tensor random_near(std::int64_t count, float centre, float spread, std::mt19937_64& random);

}  // namespace halftone::models
