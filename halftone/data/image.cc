#include "halftone/data/image.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/base/file_reader.h"
#include "halftone/data/picture_rows.h"

namespace halftone::data {
namespace {

constexpr std::int64_t kMostSide = 1 << 15;

Tensor resized(const Tensor& image, const Target& target) {
  const std::int64_t h = image.dim(1);
  const std::int64_t w = image.dim(2);
  Resizer resizer(h, w, target);
  const std::uint8_t* planes = image.data<std::uint8_t>().data();
  std::vector<std::uint8_t> row(static_cast<std::size_t>(3 * w));
  for (std::int64_t y = 0; y < h; ++y) {
    for (std::int64_t x = 0; x < w; ++x)
      for (std::int64_t c = 0; c < 3; ++c) row[static_cast<std::size_t>(3 * x + c)] = planes[(c * h + y) * w + x];
    resizer.row(row.data(), 3);
  }
  return resizer.take();
}

}  // namespace

void PictureRows::begin(std::int64_t height, std::int64_t width) {
  if (width < 1 || height < 1 || width > kMostSide || height > kMostSide || width * height > kMostPixels)
    throw InputError(where_, fmt::format("picture of {}x{}, expected sides of 1 to {} and at most {} pixels", width, height,
                                         kMostSide, kMostPixels));
  share_.emplace(pixels_, width * height);
  resizer_.emplace(height, width, choose_(height, width));
}

Tensor PictureReader::read(const std::filesystem::path& path, const Choose& choose) {
  FileReader file(path, static_cast<std::size_t>(kMostImageBytes));
  const auto size = static_cast<std::int64_t>(file.size().value_or(static_cast<std::size_t>(kMostImageBytes)));
  const Budget::Share share(bytes_, size);
  const std::vector<std::byte> bytes = file.rest();
  const auto starts = [&](std::initializer_list<int> magic) {
    return bytes.size() > magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin(),
                                                     [](int m, std::byte b) { return std::byte(m) == b; });
  };
  const std::string where = path.string();
  PictureRows rows(where, choose, pixels_);
  if (starts({0x89, 'P', 'N', 'G'}))
    decode_png(bytes, where, rows);
  else if (starts({0xff, 0xd8}))
    decode_jpeg(bytes, where, rows);
  else
    throw InputError(where, "neither a PNG nor a JPEG picture");
  return rows.take();
}

Tensor read_image(const std::filesystem::path& path) { return PictureReader().read(path, whole); }

Tensor resize(const Tensor& image, std::int64_t height, std::int64_t width) {
  return resized(image, whole(height, width));
}

Tensor resize_and_crop(const Tensor& image, std::int64_t side, std::int64_t height, std::int64_t width) {
  return resized(image, cropped(image.dim(1), image.dim(2), side, height, width));
}

}  // namespace halftone::data
