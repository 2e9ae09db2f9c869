// An image as text, for a terminal.
#pragma once

#include <string>

#include "halftone/base/tensor.h"

namespace halftone::report {

// Image `row` of uint8 [N, C, H, W], its channels averaged, brighter being denser; two columns a pixel.
std::string picture(const Tensor& images, std::int64_t row);

}  // namespace halftone::report
