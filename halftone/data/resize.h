// Pictures of another size, row by row: bilinear, averaging where they shrink.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "halftone/base/tensor.h"

namespace halftone::data {

// The size a picture is brought to, and the part of it that is kept.
struct Target {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

// Each side brought to its size on its own, nothing cut off.
Target whole(std::int64_t height, std::int64_t width);

// For a picture of h x w: its short side brought to `side`, then `height` x `width` cut from the centre.
Target cropped(std::int64_t h, std::int64_t w, std::int64_t side, std::int64_t height, std::int64_t width);

// Weights of the inputs that one output of a resized line sees: a triangle as wide as the shrinking.
struct Filter {
  std::int64_t first = 0;
  std::vector<double> weights;
};

// Takes the rows of an h x w picture from the top. In memory is what is kept of it, and sums of the outputs that a row
// takes part in.
class Resizer {
 public:
  // Throws InputError for a target of more pixels than a picture may have.
  Resizer(std::int64_t h, std::int64_t w, const Target& target);

  // `samples` bytes a pixel: red, green and blue of three or four, otherwise grey.
  void row(const std::uint8_t* pixels, std::int64_t samples);
  // uint8 [3, rows, columns], once every row was given.
  Tensor take() { return std::move(kept_); }

 private:
  void copy(const std::uint8_t* pixels, std::int64_t samples);
  void squeeze(const std::uint8_t* pixels, std::int64_t samples);
  void finish_first();

  Target target_;
  bool same_;  // size as before
  std::int64_t width_;
  std::vector<Filter> across_;  // by column kept
  std::vector<Filter> down_;    // by row kept
  std::vector<double> line_;    // [3, columns]: the row, resized along its width
  std::deque<std::vector<double>> sums_;  // [3, columns] each: of the rows kept that are begun and not finished
  std::size_t begun_ = 0;
  std::int64_t at_ = 0;  // the row that comes next
  Tensor kept_;
  std::uint8_t* out_;
};

}  // namespace halftone::data
