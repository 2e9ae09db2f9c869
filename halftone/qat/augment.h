// Pictures as they might have been taken.
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "halftone/qat/train_options.h"

namespace halftone::qat {

// `images` [N, C, H, W], which are rows `rows` (int64 [N]) of a set; what happens to a row follows from `seed` and its number alone.
// - crop: moved by up to 4 pixels a direction, edges repeated; crop_flip: every other one mirrored too: He et al., "Deep residual learning
//   for image recognition", CVPR 2016, section 4.2, whose zeros are edges here.
// - cutout: crop_flip, and a square of half the height is 0: DeVries and Taylor, 2017.
// - affine: turned by up to 10 degrees, scaled by 0.9 to 1.1, moved by up to a tenth, interpolated between pixels, edges repeated.
torch::Tensor augmented(const torch::Tensor& images, const torch::Tensor& rows, Augmentation augmentation, std::uint64_t seed);

// Throws UsageError for rows that are no pictures where they are to be augmented.
void expect_augmentable(Augmentation augmentation, const Tensor& images);

}  // namespace halftone::qat
