#include <fmt/format.h>
#include <png.h>

#include <vector>

#include "halftone/base/error.h"
#include "halftone/data/picture_rows.h"

namespace halftone::data {
namespace {

// Colour and transparency as the file has them; transparency is then dropped, not composed.
std::uint32_t format_of(std::uint32_t file) {
  const bool alpha = (file & PNG_FORMAT_FLAG_ALPHA) != 0;
  if ((file & PNG_FORMAT_FLAG_COLOR) == 0) return alpha ? PNG_FORMAT_GA : PNG_FORMAT_GRAY;
  return alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
}

}  // namespace

void decode_png(std::span<const std::byte> bytes, std::string_view where, PictureRows& rows) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&header, bytes.data(), bytes.size()) == 0)
    throw InputError(where, fmt::format("damaged PNG ({})", header.message));
  struct Free {
    png_image& image;
    ~Free() { png_image_free(&image); }
  } free{header};
  rows.begin(header.height, header.width);
  header.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // 16-bit samples are cut, not converted
  header.format = format_of(header.format);
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(header));
  if (png_image_finish_read(&header, nullptr, pixels.data(), 0, nullptr) == 0)
    throw InputError(where, fmt::format("damaged PNG ({})", header.message));
  const std::size_t row_bytes = PNG_IMAGE_ROW_STRIDE(header);
  for (std::size_t y = 0; y < header.height; ++y)
    rows.row(pixels.data() + y * row_bytes, PNG_IMAGE_SAMPLE_CHANNELS(header.format));
}

}  // namespace halftone::data
