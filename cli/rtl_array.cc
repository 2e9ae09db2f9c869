#include <fmt/format.h>

#include <charconv>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/outcome.h"
#include "cli/rtl_options.h"
#include "halftone/base/error.h"
#include "halftone/report/progress.h"
#include "halftone/rtl/array_cycles.h"
#include "halftone/rtl/checks/check_products.h"

namespace halftone::cli {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kMostSize = 1 << 16;

// "64x128x64" as `count` numbers from 1 on.
std::vector<std::int64_t> sizes_of(const std::string& option, const std::string& text, std::size_t count) {
  std::vector<std::int64_t> sizes;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end && sizes.size() <= count) {
    std::int64_t size = 0;
    const auto [behind, error] = std::from_chars(at, end, size);
    const bool separated = behind == end || (*behind == 'x' && behind + 1 < end);
    if (error != std::errc() || size < 1 || size > kMostSize || !separated) break;
    sizes.push_back(size);
    at = behind == end ? end : behind + 1;
  }
  if (at != end || sizes.size() != count)
    throw UsageError(option, fmt::format("got '{}', expected {} numbers from 1 to {}, as {}", text, count, kMostSize, count == 2 ? "32x13" : "64x128x64"));
  return sizes;
}

// The least number that divides the rows, so that all of a tile's sums leave within its steps.
int lanes_for(const rtl::ArrayGeometry& g, const rtl::ProductShape& shape) {
  const std::int64_t steps = rtl::tiling_of(g, shape).steps;
  for (int lanes = g.pair ? 2 : 1; lanes < g.rows; ++lanes)
    if (g.rows % lanes == 0 && (!g.pair || lanes % 2 == 0) && std::int64_t{g.rows / lanes} * g.cols <= steps) return lanes;
  return g.rows;
}

Json json_of(const RtlOptions& options, const rtl::ArrayGeometry& g, const rtl::ProductShape& shape, const rtl::ProductChecks& checks) {
  return {{"array", options.array},
          {"bits", g.bits},
          {"packed", g.pair},
          {"lanes", g.lanes},
          {"accumulator", g.acc_width},
          {"mantissa", g.mantissa},
          {"rounding", numeric::name_of(g.rounding)},
          {"shape", {shape.rows, shape.depth, shape.cols}},
          {"bytes_per_cycle", options.bytes_a_cycle},
          {"cycles", checks.cycles},
          {"predicted", rtl::predicted_cycles(g, shape, options.bytes_a_cycle)},
          {"bound", rtl::bound_on_cycles(g, shape, options.bytes_a_cycle)},
          {"stalls", options.stalls},
          {"outputs", checks.outputs},
          {"inside", checks.inside},
          {"different", checks.different}};
}

void print_summary(const Json& out) {
  print_line("{} array of {}-bit elements{}, {} requantizers, sums of {} bits", out["array"].get<std::string>(), out["bits"].get<int>(),
             out["packed"].get<bool>() ? ", two a multiplier" : "", out["lanes"].get<int>(), out["accumulator"].get<int>());
  print_line("{} cycles for {}x{}x{}, predicted {}, at least {}", out["cycles"].get<std::int64_t>(), out["shape"][0].get<std::int64_t>(),
             out["shape"][1].get<std::int64_t>(), out["shape"][2].get<std::int64_t>(), out["predicted"].get<std::int64_t>(), out["bound"].get<std::int64_t>());
  print_line("{} outputs compared with the arithmetic, {} different", out["outputs"].get<std::uint64_t>(), out["different"].get<std::uint64_t>());
}

}  // namespace

rtl::ProductShape shape_of(const RtlOptions& options) {
  const std::vector<std::int64_t> sizes = sizes_of("--shape", options.shape, 3);
  return {sizes[0], sizes[1], sizes[2]};
}

rtl::ArrayGeometry geometry_of(const RtlOptions& options) {
  const std::vector<std::int64_t> sizes = sizes_of("--array", options.array, 2);
  const rtl::ProductShape shape = shape_of(options);
  rtl::ArrayGeometry g{.rows = static_cast<int>(sizes[0]), .cols = static_cast<int>(sizes[1]), .bits = options.bits, .pair = options.packed};
  g.mantissa = options.mantissa;
  g.rounding = numeric::rounding_from(options.rounding);
  g.acc_width = options.acc_width.value_or(rtl::acc_width_for(g.bits, shape.depth, 1));
  g.lanes = options.lanes.value_or(lanes_for(g, shape));
  rtl::check(g);
  if (const int least = rtl::acc_width_for(g.bits, shape.depth, 0); g.acc_width < least)
    throw UsageError("--accumulator", fmt::format("got {} bits, expected {} at least, which sums of {} products may take", g.acc_width, least, shape.depth));
  return rtl::with_memories_for(g, shape);
}

int simulate_array(const RtlOptions& options) {
  const rtl::ProductShape shape = shape_of(options);
  const rtl::ArrayGeometry geometry = geometry_of(options);
  report::Progress progress(std::cerr, report::stderr_options());
  progress.update(0, "building the simulation");
  rtl::Simulation simulation(rtl::top_of(geometry), rtl::kept_folder(options.kept));
  const rtl::ProductChecks checks =
      rtl::check_products(simulation, geometry, shape,
                          {.outputs = static_cast<std::uint64_t>(options.outputs),
                           .stall_percent = options.stalls,
                           .bytes_a_cycle = options.bytes_a_cycle,
                           .seed = options.seed,
                           .progress = [&](double done) { progress.update(done, "simulating"); }});
  progress.erase();
  const Json out = json_of(options, geometry, shape, checks);
  if (options.json)
    print_json(out);
  else
    print_summary(out);
  return checks.different == 0 && checks.cycles == out["predicted"].get<std::int64_t>() ? kYes : kNo;
}

}  // namespace halftone::cli
