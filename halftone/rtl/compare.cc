#include "halftone/rtl/compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/numeric/energy.h"
#include "halftone/rtl/array_cycles.h"
#include "halftone/rtl/checks/check_products.h"
#include "halftone/rtl/single_multiplier.h"
#include "halftone/rtl/synthesis.h"

namespace halftone::rtl {
namespace {

constexpr int kBytes[] = {32, 21, 16};
constexpr int kSumBits = 32;
constexpr double kMm2 = 1e-6;   // µm²
constexpr double kNano = 1e-3;  // pJ

struct ArrayDesign {
  std::string name;
  ArrayGeometry geometry;
};

// Mantissas of 16 bits, whose requantizers take one multiplier each.
std::vector<ArrayDesign> array_designs() {
  return {
      {"int8", {.rows = 8, .cols = 8, .lanes = 2, .acc_width = 24}},
      {"int8, one a multiplier", {.rows = 16, .cols = 13, .lanes = 8, .acc_width = 24}},
      {"int8, two a multiplier", {.rows = 32, .cols = 13, .pair = true, .lanes = 8, .acc_width = 24}},
      {"int8, two, mantissa of 32", {.rows = 32, .cols = 13, .pair = true, .lanes = 4, .acc_width = 24, .mantissa = 32}},
      {"int4", {.rows = 32, .cols = 13, .bits = 4, .lanes = 16, .acc_width = 16}},
      {"int2", {.rows = 32, .cols = 8, .bits = 2, .lanes = 32, .acc_width = 14}},
      {"binary", {.rows = 32, .cols = 8, .bits = 1, .lanes = 32, .acc_width = 12}},
  };
}

std::int64_t products_of(const ProductShape& shape) { return shape.rows * shape.depth * shape.cols; }

void judge(const CompareOptions& options, const Top& top, CompareRow& row) {
  if (options.synthesize_for == nullptr) return;
  row.used = synthesize(top, *options.synthesize_for, options.kept).used;
  row.excess = excess_of(*options.synthesize_for, *row.used);
}

CompareRow row_of(const CompareOptions& options, const SingleMultiplier& design) {
  const char* const names[] = {"int8 x int8", "float32 x int8", "float32 x float32"};
  const char* const bits[] = {"8x8", "32x8", "32x32"};
  CompareRow row{.design = names[design.floats], .bits = bits[design.floats], .array = "1x1"};
  const Top top = top_of(design);
  Simulation simulation(top, options.kept);
  const std::int64_t each = design.shape.rows * design.shape.cols;
  const SingleMultiplierChecks checks =
      check_single_multiplier(simulation, design, static_cast<int>((options.outputs + static_cast<std::uint64_t>(each) - 1) / static_cast<std::uint64_t>(each)), options.seed);
  row.cycles = checks.cycles;
  row.predicted = cycles_of(design);
  row.bound = products_of(design.shape);
  row.outputs = checks.outputs;
  row.different = checks.different;
  const bool floats = design.floats > 0;
  const double operation = floats ? numeric::kFloat32Multiplication + numeric::kFloat32Addition : numeric::multiplication_energy(8, 8) + numeric::addition_energy(16);
  const double read = (floats ? 32 : 8) + (design.floats == 2 ? 32 : 8);  // bits a product
  row.arithmetic_nj = static_cast<double>(products_of(design.shape)) * operation * kNano;
  row.memory_nj = static_cast<double>(products_of(design.shape)) * read * numeric::kSramPerBit * kNano;
  row.arithmetic_mm2 = (floats ? numeric::kFloat32MultiplicationArea + numeric::kFloat32AdditionArea : numeric::multiplication_area(8, 8) + numeric::addition_area(16)) * kMm2;
  judge(options, top, row);
  return row;
}

// A step reads a byte a row and a byte a column from the tile memories.
void add_energy(const ArrayGeometry& g, const ProductShape& shape, CompareRow& row) {
  const Tiling tiling = tiling_of(g, shape);
  const double operation = numeric::multiplication_energy(g.bits, g.bits) + numeric::addition_energy(g.acc_width) / g.numbers_a_byte();
  row.arithmetic_nj = static_cast<double>(products_of(shape)) * operation * kNano;
  row.memory_nj = static_cast<double>(tiling.row_tiles * tiling.b_words() * (g.rows + g.cols) * 8) * numeric::kSramPerBit * kNano;
  row.arithmetic_mm2 = static_cast<double>(g.products()) * numeric::multiplication_area(g.bits, g.bits) * kMm2 +
                       g.rows * g.cols * numeric::addition_area(g.acc_width) * kMm2;
}

std::vector<CompareRow> rows_of(const CompareOptions& options, const ArrayDesign& design) {
  ArrayGeometry wanted = design.geometry;
  wanted.acc_width = std::max(wanted.acc_width, acc_width_for(wanted.bits, options.shape.depth, 1));
  const ArrayGeometry g = with_memories_for(wanted, options.shape);
  const Top top = top_of(g);
  CompareRow row{.design = design.name, .bits = fmt::format("{0}x{0}", g.bits), .array = name_of(g)};
  add_energy(g, options.shape, row);
  judge(options, top, row);
  Simulation simulation(top, options.kept);
  std::vector<CompareRow> rows;
  for (int bytes : kBytes) {
    const ProductChecks checks = check_products(simulation, g, options.shape, {.outputs = options.outputs, .bytes_a_cycle = bytes, .seed = options.seed});
    rows.push_back(row);
    rows.back().bytes_a_cycle = bytes;
    rows.back().cycles = checks.cycles;
    rows.back().predicted = predicted_cycles(g, options.shape, bytes);
    rows.back().bound = bound_on_cycles(g, options.shape, bytes);
    rows.back().outputs = checks.outputs;
    rows.back().different = checks.different;
  }
  return rows;
}

}  // namespace

std::vector<CompareRow> compare(const CompareOptions& options) {
  std::vector<CompareRow> rows;
  const std::vector<ArrayDesign> arrays = array_designs();
  const std::size_t all = 3 + arrays.size();
  std::size_t done = 0;
  const auto next = [&](std::string_view name) {
    if (options.progress) options.progress(static_cast<double>(done) / static_cast<double>(all), name);
    ++done;
  };
  for (int floats : {2, 1, 0}) {
    next("one multiplier");
    rows.push_back(row_of(options, {.shape = options.shape, .floats = floats}));
  }
  for (const ArrayDesign& design : arrays) {
    next(design.name);
    for (CompareRow& row : rows_of(options, design)) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace halftone::rtl
