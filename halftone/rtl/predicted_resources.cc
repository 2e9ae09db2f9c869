#include "halftone/rtl/predicted_resources.h"

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone::rtl {
namespace {

struct Cells {
  double lut = 0;
  double ff = 0;
};

Cells element(const ArrayGeometry& g) {
  const double acc = g.acc_width;
  if (g.pair) return {6 * acc + 2, 4 * acc + 53};
  switch (g.bits) {
    case 8: return {acc + 1, acc + 18};
    case 4: return {3 * acc + 55, 2 * acc + 38};
    case 2: return {3 * acc + 31, 2 * acc + 38};
    default: return {2 * acc + 15, 2 * acc + 24};
  }
}

Cells requantizer(const ArrayGeometry& g) {
  const double acc = g.acc_width;
  switch (g.mantissa) {
    case 8: return {90 + 8.5 * acc, 4 * acc + 79};
    case 16: return {190 + 7.5 * acc, 4 * acc + 111};
    default: return {250 + 12.5 * acc, 4 * acc + 175 + (acc >= 20 ? acc + 31 : 0)};
  }
}

std::int64_t up(std::int64_t total, std::int64_t size) { return (total + size - 1) / size; }

// As library/SplitProduct.sv cuts: the last part of the sum may be a bit wider.
std::int64_t multipliers_a_requantizer(const ArrayGeometry& g) {
  const std::int64_t a_parts = g.acc_width <= g.a_part + 1 ? 1 : up(g.acc_width - 1, g.a_part);
  return a_parts * up(g.mantissa - 1, g.b_part);
}

}  // namespace

Resources predicted_resources(const ArrayGeometry& g) {
  constexpr double kSequencerLuts = 130, kSequencerFfs = 230;
  const double elements = static_cast<double>(g.lines()) * g.cols, groups = static_cast<double>(g.rows / g.lanes);
  const Cells pe = element(g), requantize = requantizer(g);
  // A line is chosen among the groups, four in a LUT, and the bias added.
  const double chosen = g.acc_width * (1 + static_cast<double>(up(static_cast<std::int64_t>(groups) - 1, 3)));
  // Nobody reads what the last column and the last line hand on.
  const double unread = g.lines() * (g.pair ? 28.0 : 11.0) + g.cols * 8.0;
  return {.dsp = (g.bits == 8 ? std::int64_t{g.lines()} * g.cols : 0) + g.lanes * multipliers_a_requantizer(g),
          .lut = static_cast<std::int64_t>(elements * pe.lut + g.lanes * (requantize.lut + chosen) + kSequencerLuts),
          .ff = static_cast<std::int64_t>(elements * pe.ff - unread + g.lanes * (requantize.ff + 2.0 * g.acc_width) + kSequencerFfs)};
}

ArrayGeometry largest_that_fits(ArrayGeometry geometry, const Device& device) {
  const ArrayGeometry asked = geometry;
  ArrayGeometry best = asked;
  bool found = false;
  for (int rows = asked.lanes; rows <= asked.rows; rows += asked.lanes)
    for (int cols = 1; cols <= asked.cols; ++cols) {
      geometry.rows = rows;
      geometry.cols = cols;
      if (!excess_of(device, predicted_resources(geometry)).empty() || (found && geometry.products() <= best.products())) continue;
      best = geometry;
      found = true;
    }
  if (!found) throw UsageError("--device", fmt::format("{} holds no array with {} requantizers, expected fewer lanes", device.name, asked.lanes));
  return best;
}

}  // namespace halftone::rtl
