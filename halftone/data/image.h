// One picture from a PNG or JPEG file.
#pragma once

#include <filesystem>

#include "halftone/base/tensor.h"

namespace halftone::data {

// uint8 [3, H, W], red, green, blue; grey is tripled, transparency dropped, 16 bits cut to 8. JPEG is decoded
// as libjpeg does by default. Throws InputError for a damaged file or one of another kind, SystemError when
// it is missing.
Tensor read_image(const std::filesystem::path& path);

// Each side brought to its size on its own, nothing cut off.
Tensor resize(const Tensor& image, std::int64_t height, std::int64_t width);

// The short side brought to `side` (bilinear, averaging where it shrinks), then `height` x `width` cut from
// the centre.
Tensor resize_and_crop(const Tensor& image, std::int64_t side, std::int64_t height, std::int64_t width);

}  // namespace halftone::data
