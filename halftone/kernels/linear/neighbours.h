// Layers of few channels, whose registers would mostly be empty: some pixels of a row are one pixel of so many times the channels,
// whose taps reach over the windows of all, with weights of 0 where one of them does not.
#pragma once

#include "halftone/kernels/linear/linear.h"

namespace halftone::kernels {

using PackLinear = std::unique_ptr<Linear> (*)(const LinearWeights&, const Requantization&);

// How many pixels are best taken together on registers of 16, 32 or 64 sums: the fewest products and results for each pixel. 1 where
// weights.x_pixel is not known.
std::int64_t neighbours_together(const LinearWeights& weights);

// Runs whose pixels lie otherwise than weights.x_pixel, or whose results do not follow one another, go pixel by pixel.
std::unique_ptr<Linear> pack_neighbours(PackLinear pack, const LinearWeights& weights, const Requantization& requantization, std::int64_t together);

}  // namespace halftone::kernels
