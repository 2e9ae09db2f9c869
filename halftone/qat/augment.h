// Pictures as they might have been taken.
#pragma once

#include <torch/types.h>

#include <random>

#include "halftone/qat/finetune.h"

namespace halftone::qat {

// `images` [N, C, H, W], each moved by up to 4 pixels a direction, its edges repeated, and, with crop_flip, every other one mirrored: He et
// al., "Deep residual learning for image recognition", CVPR 2016, section 4.2, whose zeros are edges here.
torch::Tensor augmented(const torch::Tensor& images, Augmentation augmentation, std::mt19937_64& random);

}  // namespace halftone::qat
