// Rows of a picture as a file gives them.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "halftone/data/image.h"

namespace halftone::data {

// Where a decoder puts them: first the size, which may have to wait for room and be refused, then row by row.
class PictureRows {
 public:
  PictureRows(std::string_view where, const PictureReader::Choose& choose, Budget& pixels)
      : where_(where), choose_(choose), pixels_(pixels) {}

  void begin(std::int64_t height, std::int64_t width);
  void row(const std::uint8_t* pixels, std::int64_t samples) { resizer_->row(pixels, samples); }
  Tensor take() { return resizer_->take(); }

 private:
  std::string_view where_;
  const PictureReader::Choose& choose_;
  Budget& pixels_;
  std::optional<Budget::Share> share_;
  std::optional<Resizer> resizer_;
};

// Throw InputError for damaged files.
void decode_png(std::span<const std::byte> bytes, std::string_view where, PictureRows& rows);
void decode_jpeg(std::span<const std::byte> bytes, std::string_view where, PictureRows& rows);

}  // namespace halftone::data
