// How the engine stores a value: the bytes of one sample after those of another.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::engine {

// Integers with a grid are stored less their least one where 8 bits hold them, so that 0 stands for qmin (kernels take unsigned
// bytes); wider ones in int16, unsigned ones less 32,768. All else is stored as tensors hold it, row-major.
struct Layout {
  std::string name;
  DType dtype = DType::float32;
  std::optional<numeric::Grid> grid;
  Shape shape;                 // of one sample
  std::size_t element = 4;     // bytes of one
  std::int32_t base = 0;       // q = stored + base
  // [N, C, H, W] or [N, C, W] stored as [N, top + H + bottom, left + W + right, C]; the border holds `filling`.
  bool channels_last = false;
  std::array<std::int64_t, 4> border{};  // top, bottom, left, right
  std::int32_t filling = 0;
  std::int64_t joined_channels = 0;  // of the value in which this one stands as some of its channels; 0: it stands by itself

  bool is_bytes() const { return grid && element == 1; }
  std::int64_t images() const { return shape.at(0); }
  std::int64_t channels() const { return shape.at(1); }
  std::int64_t rows() const { return shape.size() == 4 ? shape[2] : 1; }
  std::int64_t columns() const { return shape.back(); }
  std::int64_t pixel_pitch() const { return joined_channels > 0 ? joined_channels : channels(); }  // elements
  std::int64_t row_pitch() const { return (border[2] + columns() + border[3]) * pixel_pitch(); }
  std::int64_t image_pitch() const { return (border[0] + rows() + border[1]) * row_pitch(); }
  // The place of the first channel; row and column may lie in the border.
  std::int64_t place(std::int64_t image, std::int64_t row, std::int64_t column) const {
    return image * image_pitch() + (border[0] + row) * row_pitch() + (border[2] + column) * pixel_pitch();
  }
  std::int64_t elements() const;  // of one sample, with the border
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * element; }
  bool has_border() const { return border != std::array<std::int64_t, 4>{}; }
  // Where the elements of a sample stand, in row-major order of its shape.
  std::vector<std::int64_t> places() const;
};

// Whether elements of both that belong together stand in runs of one order: rows of a plane, or all of a sample.
inline bool have_one_order(const Layout& a, const Layout& b) {
  return a.shape == b.shape && a.channels_last == b.channels_last && a.joined_channels == 0 && b.joined_channels == 0;
}

// Runs of a sample's elements that stand together; the elements of one, and where it begins.
inline std::int64_t runs_of(const Layout& layout) { return layout.channels_last ? layout.images() * layout.rows() : 1; }
inline std::int64_t run_length(const Layout& layout) {
  return layout.channels_last ? layout.columns() * layout.channels() : layout.elements();
}
inline std::int64_t run_place(const Layout& layout, std::int64_t run) {
  if (!layout.channels_last) return run * layout.elements();
  return layout.place(run / layout.rows(), run % layout.rows(), 0);
}

// The layout of a value whose sample has this shape, row-major.
Layout layout_of(const qgraph::Value& value, const Shape& shape);

}  // namespace halftone::engine
