#include "halftone/report/picture.h"

#include <string_view>

namespace halftone::report {

std::string picture(const Tensor& images, std::int64_t row) {
  constexpr std::string_view kInk = " .:-=+*#%@";
  const std::int64_t channels = images.dim(1);
  const std::int64_t height = images.dim(2);
  const std::int64_t width = images.dim(3);
  const auto pixels = images.data<std::uint8_t>();
  std::string text;
  for (std::int64_t h = 0; h < height; ++h) {
    for (std::int64_t w = 0; w < width; ++w) {
      std::int64_t sum = 0;
      for (std::int64_t c = 0; c < channels; ++c)
        sum += pixels[static_cast<std::size_t>(((row * channels + c) * height + h) * width + w)];
      const auto ink = static_cast<std::size_t>(sum / channels) * kInk.size() / 256;
      text += std::string(2, kInk[ink]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

}  // namespace halftone::report
