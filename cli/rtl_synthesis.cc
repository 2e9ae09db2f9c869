#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/check.h"
#include "cli/outcome.h"
#include "cli/rtl_options.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/report/progress.h"
#include "halftone/rtl/array_cycles.h"
#include "halftone/rtl/placement.h"
#include "halftone/rtl/predicted_resources.h"
#include "halftone/rtl/simulation.h"

namespace halftone::cli {
namespace {

using Json = nlohmann::json;

constexpr double kUsualMhz = 100;  // asked of place and route where the user asks for none
constexpr int kSeeds = 2;  // of placements; the worse one counts

Json json_of(const RtlOptions& options, const rtl::ArrayGeometry& g, const rtl::Device& device, const rtl::Synthesis& made, const std::optional<rtl::Placement>& placed) {
  const auto resource = [](std::int64_t used, std::int64_t has) { return Json{{"used", used}, {"of", has}}; };
  const rtl::Resources predicted = rtl::predicted_resources(g);
  Json out{{"array", rtl::name_of(g)},
           {"device", device.name},
           {"part", device.part},
           {"dsp", resource(made.used.dsp, device.has.dsp)},
           {"lut", resource(made.used.lut, device.has.lut)},
           {"ff", resource(made.used.ff, device.has.ff)},
           {"bram", resource(made.used.bram, device.has.bram)},
           {"predicted", {{"dsp", predicted.dsp}, {"lut", predicted.lut}, {"ff", predicted.ff}}},
           {"excess", rtl::excess_of(device, made.used)},
           {"fits", rtl::excess_of(device, made.used).empty()},
           {"tool", made.tool},
           {"cells", made.cells}};
  if (placed) out.update({{"mhz", placed->mhz}, {"mhz_of_seeds", placed->of_seed}, {"target_mhz", options.mhz}, {"met", placed->mhz >= options.mhz}});
  return out;
}

void print_summary(const Json& out) {
  print_line("{} array on {} ({}), by {}", out["array"].get<std::string>(), out["device"].get<std::string>(), out["part"].get<std::string>(), out["tool"].get<std::string>());
  for (const auto& [key, name] : {std::pair{"dsp", "DSP"}, {"lut", "LUT"}, {"ff", "FF"}, {"bram", "BRAM"}}) {
    const auto used = out[key]["used"].get<std::int64_t>(), of = out[key]["of"].get<std::int64_t>();
    print_line("{:>6} {} of {} ({:.1f} %)", name, used, of, 100.0 * static_cast<double>(used) / static_cast<double>(of));
  }
  for (const Json& excess : out["excess"]) print_line("it does not fit: {}", excess.get<std::string>());
  if (!out.contains("mhz")) return;
  print_line("{:.1f} MHz routed, the worse of {} seeds", out["mhz"].get<double>(), kSeeds);
  if (const auto target = out["target_mhz"].get<double>(); target > 0) print_line("{:.0f} MHz asked for: {}", target, out["met"].get<bool>() ? "met" : "missed");
}

// The design's own text, the library and what the tools made, where the user asked for them.
void copy_to(const std::filesystem::path& folder, const rtl::Top& top, const Json& out, const std::optional<rtl::Placement>& placed) {
  std::filesystem::create_directories(folder);
  rtl::write_library(folder / "library");
  write_file(folder / "Top.sv", top.text);
  write_file(folder / "report.json", out.dump(2) + "\n");
  if (placed) write_file(folder / ("Top" + placed->bitstream.extension().string()), read_file(placed->bitstream));
}

// Before minutes of synthesis: what is over by far more than the prediction may be wrong.
void expect_room(const rtl::ArrayGeometry& g, const rtl::Device& device) {
  if (device.family != rtl::Family::xc7) return;
  rtl::Resources surely = rtl::predicted_resources(g);
  surely.lut = surely.lut * 4 / 5;
  surely.ff = surely.ff * 4 / 5;
  const std::vector<std::string> excess = rtl::excess_of(device, surely);
  if (excess.empty()) return;
  throw UsageError("--array", fmt::format("{} needs {} on {}, expected at most {}", rtl::name_of(g), fmt::join(excess, ", "), device.name, rtl::name_of(rtl::largest_that_fits(g, device))));
}

}  // namespace

int synthesize_array(const RtlOptions& options) {
  const rtl::Device& device = rtl::device(options.device.empty() ? "xc7z020" : options.device);
  rtl::ArrayGeometry g = geometry_of(options);
  g.a_part = device.a_part;
  g.b_part = device.b_part;
  expect_room(g, device);
  const rtl::Top top = rtl::top_of(g);
  report::Progress progress(std::cerr, report::stderr_options());
  progress.update(0, "synthesis");
  const rtl::Synthesis made = rtl::synthesize(top, device, rtl::kept_folder(options.kept));
  std::optional<rtl::Placement> placed;
  if (device.family != rtl::Family::xc7 && rtl::excess_of(device, made.used).empty()) {
    progress.update(0.3, "place and route");
    placed = rtl::place(made, device, options.mhz > 0 ? options.mhz : kUsualMhz, kSeeds);
  }
  progress.erase();
  const Json out = json_of(options, g, device, made, placed);
  if (!options.output.empty()) copy_to(options.output, top, out, placed);
  if (options.json)
    print_json(out);
  else
    print_summary(out);
  return out["fits"].get<bool>() && (!placed || placed->mhz >= options.mhz) ? kYes : kNo;
}

}  // namespace halftone::cli
