#include "halftone/rtl/product.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::rtl {
namespace {

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

// The bit of an activation or weight of 1 bit, two's complement otherwise. Padding is bits of 0: in BinaryDot two that are equal.
std::int64_t coded(const ArrayGeometry& g, std::int32_t value, bool is_weight) {
  if (g.bits > 1) {
    if (value < -(1 << (g.bits - 1)) || value >= 1 << (g.bits - 1)) throw InputError("rtl", fmt::format("operand, got {}, expected {} signed bits", value, g.bits));
    return value;
  }
  if (is_weight ? value != -1 && value != 1 : value != 0 && value != 1)
    throw InputError("rtl", fmt::format("operand, got {}, expected {}", value, is_weight ? "-1 or +1" : "0 or 1"));
  return value == 1 ? 1 : 0;
}

// Byte `step` of each of the `lines` rows of x [count][depth] from `first` on.
void put_step(const ArrayGeometry& g, const std::vector<std::int32_t>& x, std::int64_t count, std::int64_t depth, std::int64_t first, int lines,
              std::int64_t step, bool is_weight, Words& words) {
  const std::size_t word = words.add();
  for (int line = 0; line < lines && first + line < count; ++line)
    for (int i = 0; i < g.numbers_a_byte(); ++i)
      if (const std::int64_t k = step * g.numbers_a_byte() + i; k < depth)
        words.put(word, line * 8 + i * g.bits, g.bits, coded(g, x[at((first + line) * depth + k)], is_weight));
}

Words operand_words(const ArrayGeometry& g, const std::vector<std::int32_t>& x, std::int64_t count, std::int64_t depth, int lines, std::int64_t tiles,
                    std::int64_t steps, bool is_weight) {
  Words words(lines * 8);
  for (std::int64_t tile = 0; tile < tiles; ++tile)
    for (std::int64_t step = 0; step < steps; ++step) put_step(g, x, count, depth, tile * lines, lines, step, is_weight, words);
  return words;
}

// The array's own constant in a sum: BinaryDot counts equal bits, padding included.
std::int64_t constant_of(const ArrayGeometry& g, const Product& product, std::int64_t col) {
  if (g.bits > 1) return 0;
  const std::int64_t depth = product.shape.depth;
  const auto first = product.b.begin() + static_cast<std::ptrdiff_t>(col * depth);
  return std::count(first, first + static_cast<std::ptrdiff_t>(depth), 1) - tiling_of(g, product.shape).steps * 8;
}

Words parameter_words(const ArrayGeometry& g, const Product& product, std::int64_t columns) {
  Words words(g.parameter_width());
  for (std::int64_t col = 0; col < columns; ++col) {
    const std::size_t word = words.add();
    if (col >= product.shape.cols) continue;
    const std::int64_t bias = product.bias[at(col)] + constant_of(g, product, col), most = std::int64_t{1} << (g.acc_width - 1);
    const std::int64_t multiplier = product.multiplier[at(col)];
    const int shift = product.shift[at(col)];
    if (bias < -most || bias >= most) throw InputError("rtl", fmt::format("bias of column {}, got {}, expected {} signed bits", col, bias, g.acc_width));
    if (multiplier < 0 || multiplier >> (g.mantissa - 1) != 0)
      throw InputError("rtl", fmt::format("multiplier of column {}, got {}, expected {} bits", col, multiplier, g.mantissa - 1));
    if (shift < 0 || shift >= 1 << ArrayGeometry::kShiftWidth)
      throw InputError("rtl", fmt::format("shift of column {}, got {}, expected 0 to {}", col, shift, (1 << ArrayGeometry::kShiftWidth) - 1));
    // Beyond the product's width nothing of it is left.
    const bool vanishes = shift > g.acc_width + g.mantissa - 1;
    words.put(word, 0, g.acc_width, bias);
    words.put(word, g.acc_width, g.mantissa - 1, vanishes ? 0 : multiplier);
    words.put(word, g.acc_width + g.mantissa - 1, ArrayGeometry::kShiftWidth, vanishes ? 1 : shift);
  }
  return words;
}

}  // namespace

Job job_of(const ArrayGeometry& g, const Product& product) {
  const Tiling tiling = tiling_of(g, product.shape);
  if (tiling.steps > g.a_depth || tiling.b_words() > g.b_depth || tiling.col_tiles * g.cols > g.parameters || tiling.row_tiles >= 1 << 16)
    throw InputError("rtl", fmt::format("a product of {}x{}x{}, expected one that the array's memories hold", product.shape.rows, product.shape.depth, product.shape.cols));
  const Top top = top_of(g);
  const std::int64_t values[] = {tiling.steps,           tiling.col_tiles, tiling.row_tiles, tiling.b_words(), tiling.col_tiles * g.cols,
                                 product.bounds.zero_point, product.bounds.lo, product.bounds.hi};
  Job job{.config = Words(width_of(top.config))};
  job.config.add();
  int bit = 0;
  for (std::size_t i = 0; i < top.config.size(); ++i) {
    job.config.put(0, bit, top.config[i].width, values[i]);
    bit += top.config[i].width;
  }
  const ProductShape& shape = product.shape;
  job.in = {operand_words(g, product.a, shape.rows, shape.depth, g.rows, tiling.row_tiles, tiling.steps, false),
            operand_words(g, product.b, shape.cols, shape.depth, g.cols, tiling.col_tiles, tiling.steps, true),
            parameter_words(g, product, tiling.col_tiles * g.cols)};
  job.results = at(tiling.row_tiles * tiling.col_tiles * (g.rows / g.lanes) * g.cols);
  return job;
}

void share_bytes(const ArrayGeometry& g, const Product& product, int bytes_a_cycle, Job& job) {
  const Tiling tiling = tiling_of(g, product.shape);
  job.bytes_a_cycle = bytes_a_cycle;
  job.cost = {g.rows, g.cols, static_cast<int>(job.in[2].bytes_a_word())};
  job.order.clear();
  for (std::int64_t step = 0; step < tiling.steps; ++step) job.order.insert(job.order.end(), {0, 1});
  const std::int64_t parameters = tiling.col_tiles * g.cols;
  const std::int64_t more_a = tiling.a_words() - tiling.steps, more_b = tiling.b_words() - tiling.steps;
  std::int64_t sent_a = 0, sent_p = 0;
  for (std::int64_t i = 0; i < more_b; ++i) {
    if (sent_p++ < parameters) job.order.push_back(2);
    job.order.push_back(1);
    for (; sent_a < std::min(more_a, tiling.steps) * (i + 1) / more_b; ++sent_a) job.order.push_back(0);
  }
  for (; sent_p < parameters; ++sent_p) job.order.push_back(2);
  for (; sent_a < more_a; ++sent_a) job.order.push_back(0);
}

std::vector<std::int32_t> results_of(const ArrayGeometry& g, const Product& product, const Words& out) {
  const Tiling tiling = tiling_of(g, product.shape);
  const ProductShape& shape = product.shape;
  std::vector<std::int32_t> y(at(shape.rows * shape.cols));
  const bool is_signed = product.bounds.lo < 0;
  std::size_t word = 0;
  for (std::int64_t r = 0; r < tiling.row_tiles; ++r)
    for (std::int64_t c = 0; c < tiling.col_tiles; ++c)
      for (int group = 0; group < g.rows / g.lanes; ++group)
        for (int col = 0; col < g.cols; ++col, ++word)
          for (int lane = 0; lane < g.lanes; ++lane) {
            const std::int64_t row = r * g.rows + group * g.lines_a_group() + lane % g.lines_a_group() + (lane / g.lines_a_group()) * g.lines();
            const std::int64_t column = c * g.cols + col;
            if (row >= shape.rows || column >= shape.cols) continue;
            const std::uint64_t byte = out.get(word, lane * 8, 8);
            y[at(row * shape.cols + column)] = static_cast<std::int32_t>(is_signed ? sign_extended(byte, 8) : static_cast<std::int64_t>(byte));
          }
  return y;
}

std::vector<std::int32_t> expected_results(const ArrayGeometry& g, const Product& product) {
  const ProductShape& shape = product.shape;
  std::vector<std::int32_t> y;
  y.reserve(at(shape.rows * shape.cols));
  for (std::int64_t m = 0; m < shape.rows; ++m)
    for (std::int64_t n = 0; n < shape.cols; ++n) {
      std::int64_t sum = product.bias[at(n)];
      for (std::int64_t k = 0; k < shape.depth; ++k)
        sum += std::int64_t{product.a[at(m * shape.depth + k)]} * product.b[at(n * shape.depth + k)];
      y.push_back(numeric::requantize_fixed(sum, product.multiplier[at(n)], product.shift[at(n)], product.bounds, g.rounding));
    }
  return y;
}

}  // namespace halftone::rtl
