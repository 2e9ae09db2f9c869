#include "halftone/rtl/array.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "halftone/base/error.h"

namespace halftone::rtl {
namespace {

constexpr int kMostLines = 256;

std::int64_t parts(std::int64_t total, std::int64_t size) { return (total + size - 1) / size; }
int address_width(std::int64_t depth) { return std::max(1, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(depth - 1)))); }

int code_of(numeric::Rounding rounding) {
  if (rounding == numeric::Rounding::half_even) return 0;
  if (rounding == numeric::Rounding::half_away) return 1;
  if (rounding == numeric::Rounding::half_up) return 2;
  throw UsageError("rtl", fmt::format("rounding, got {}, expected half_even, half_away or half_up", numeric::name_of(rounding)));
}

void expect(bool holds, const std::string& what) {
  if (!holds) throw UsageError("rtl", what);
}

}  // namespace

void check(const ArrayGeometry& g) {
  const auto in_range = [](int value) { return value >= 1 && value <= kMostLines; };
  expect(in_range(g.rows) && in_range(g.cols), fmt::format("array, got {}x{}, expected 1 to {} rows and columns", g.rows, g.cols, kMostLines));
  expect(g.bits == 8 || g.bits == 4 || g.bits == 2 || g.bits == 1, fmt::format("bits, got {}, expected 8, 4, 2 or 1", g.bits));
  expect(!g.pair || g.bits == 8, fmt::format("two products a multiplier, got {} bits, expected 8", g.bits));
  expect(!g.pair || g.rows % 2 == 0, fmt::format("two products a multiplier, got {} rows, expected an even number", g.rows));
  expect(g.mantissa == 8 || g.mantissa == 16 || g.mantissa == 32, fmt::format("mantissa, got {}, expected 8, 16 or 32", g.mantissa));
  expect(g.lanes >= 1 && g.rows % g.lanes == 0 && (!g.pair || g.lanes % 2 == 0),
         fmt::format("lanes, got {}, expected {}a part of the {} rows", g.lanes, g.pair ? "an even number that is " : "", g.rows));
  expect(g.acc_width >= (g.bits == 8 ? 17 : 10) && g.acc_width <= 32, fmt::format("sums, got {} bits, expected {} to 32", g.acc_width, g.bits == 8 ? 17 : 10));
  code_of(g.rounding);
}

Tiling tiling_of(const ArrayGeometry& g, const ProductShape& shape) {
  return {parts(shape.depth, g.numbers_a_byte()), parts(shape.rows, g.rows), parts(shape.cols, g.cols)};
}

ArrayGeometry with_memories_for(ArrayGeometry g, const ProductShape& shape) {
  const Tiling tiling = tiling_of(g, shape);
  constexpr std::int64_t kMostWords = 1 << 24;
  expect(tiling.steps <= kMostWords / 2 && tiling.b_words() <= kMostWords && tiling.col_tiles * g.cols <= kMostWords,
         fmt::format("a product of {}x{}x{}, expected one whose columns take {} words of memory at most", shape.rows, shape.depth, shape.cols, kMostWords));
  g.a_depth = static_cast<int>(std::bit_ceil(static_cast<std::uint64_t>(std::max<std::int64_t>(2 * tiling.steps, 2))));
  g.b_depth = static_cast<int>(std::max<std::int64_t>(tiling.b_words(), 2));
  g.parameters = static_cast<int>(std::max<std::int64_t>(tiling.col_tiles * g.cols, 2));
  return g;
}

int acc_width_for(int bits, std::int64_t depth, int biases) {
  const std::int64_t largest = bits == 1 ? 1 : std::int64_t{1} << (2 * bits - 2);
  return std::max(static_cast<int>(std::bit_width(static_cast<std::uint64_t>((1 + biases) * largest * depth))) + 1, bits == 8 ? 17 : 10);
}

std::string name_of(const ArrayGeometry& g) { return fmt::format("{}x{}", g.rows, g.cols); }

Top top_of(const ArrayGeometry& g) {
  check(g);
  const int a = address_width(g.a_depth), b = address_width(g.b_depth), p = address_width(g.parameters);
  const std::vector<Field> config{{"steps_i", a + 1},    {"col_tiles_i", b + 1}, {"row_tiles_i", 16}, {"b_words_i", b + 1},
                                  {"p_words_i", p + 1},  {"zero_point_i", 9},    {"min_i", 9},        {"max_i", 9}};
  std::string connections;
  for (std::size_t i = 0; i < config.size(); ++i) connections += fmt::format(".{}({}), ", config[i].name, slice_of("config_i", config, i));
  const std::string body = fmt::format(
      "  MatmulArray #(\n    .ROWS({}), .COLS({}), .BITS({}), .PAIR(1'b{}), .LANES({}), .ACC_WIDTH({}), .MANTISSA({}), .SHIFT_WIDTH({}), .ROUNDING({}),\n"
      "    .A_DEPTH({}), .B_DEPTH({}), .PARAMETERS({}), .A_PART({}), .B_PART({})\n  ) u_array (\n    {}.*\n  );",
      g.rows, g.cols, g.bits, g.pair ? 1 : 0, g.lanes, g.acc_width, g.mantissa, ArrayGeometry::kShiftWidth, code_of(g.rounding), g.a_depth, g.b_depth,
      g.parameters, g.a_part, g.b_part, connections);
  return top_around(config, {g.rows * 8, g.cols * 8, g.parameter_width()}, g.lanes * 8, body);
}

}  // namespace halftone::rtl
