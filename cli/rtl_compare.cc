#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/model_file.h"
#include "cli/outcome.h"
#include "cli/rtl_compare.h"
#include "cli/rtl_options.h"
#include "halftone/base/file.h"
#include "halftone/report/progress.h"
#include "halftone/report/table.h"
#include "halftone/rtl/compare.h"
#include "halftone/rtl/lab6.h"
#include "halftone/rtl/simulation.h"

namespace halftone::cli {
namespace {

using Json = nlohmann::json;

Json json_of(const rtl::CompareRow& row) {
  Json out{{"design", row.design},
           {"bits", row.bits},
           {"array", row.array},
           {"bytes_per_cycle", row.bytes_a_cycle == 0 ? Json() : Json(row.bytes_a_cycle)},
           {"cycles", row.cycles},
           {"predicted", row.predicted},
           {"bound", row.bound},
           {"outputs", row.outputs},
           {"different", row.different},
           {"arithmetic_nj", row.arithmetic_nj},
           {"memory_nj", row.memory_nj},
           {"arithmetic_mm2", row.arithmetic_mm2}};
  if (row.used) out.update({{"dsp", row.used->dsp}, {"lut", row.used->lut}, {"ff", row.used->ff}, {"bram", row.used->bram}, {"fits", row.excess.empty()}, {"excess", row.excess}});
  return out;
}

Json json_of(const rtl::Lab6Design& design, const rtl::ProductShape& shape) {
  return {{"design", design.name},
          {"clock_ns", design.clock_ns},
          {"meets_target", design.clock_ns <= rtl::kLab6TargetNs},
          {"cycles", design.latency},
          {"interval", design.interval},
          {"model_cycles", rtl::lab6_latency(design, shape)},
          {"dsp", design.used.dsp},
          {"lut", design.used.lut},
          {"ff", design.used.ff},
          {"bram", design.used.bram}};
}

std::string share(std::int64_t part, std::int64_t whole) { return fmt::format("{:.0f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole)); }

CompareTable table_of(const std::vector<rtl::CompareRow>& rows, const rtl::Device& device, const rtl::ProductShape& shape) {
  CompareTable table{{"design", "bits", "array", "bytes/cycle", "cycles", "of bound", "nJ arithmetic + memory", "mm2", "DSP", "LUT", "FF", "BRAM", "fits", "different"}, {}};
  for (const rtl::CompareRow& row : rows) {
    const auto used = [&](std::int64_t rtl::Resources::*what) { return row.used ? fmt::format("{} ({})", (*row.used).*what, share((*row.used).*what, device.has.*what)) : ""; };
    table.rows.push_back({row.design, row.bits, row.array, row.bytes_a_cycle == 0 ? "" : std::to_string(row.bytes_a_cycle), report::format_count(row.cycles), share(row.bound, row.cycles),
                          fmt::format("{:.0f} + {:.0f}", row.arithmetic_nj, row.memory_nj), fmt::format("{:.3f}", row.arithmetic_mm2), used(&rtl::Resources::dsp), used(&rtl::Resources::lut),
                          used(&rtl::Resources::ff), used(&rtl::Resources::bram), row.used ? (row.excess.empty() ? "yes" : "no") : "", fmt::format("{} of {}", row.different, row.outputs)});
  }
  for (const rtl::Lab6Design& design : rtl::lab6_designs())
    table.rows.push_back({std::string(design.name), "", "", "", report::format_count(rtl::lab6_latency(design, shape)), "", "", "", std::to_string(design.used.dsp), std::to_string(design.used.lut),
                          std::to_string(design.used.ff), std::to_string(design.used.bram),
                          design.clock_ns <= rtl::kLab6TargetNs ? "" : fmt::format("{} ns misses {:.0f}", design.clock_ns, rtl::kLab6TargetNs), ""});
  return table;
}

void print_table(const CompareTable& shown) {
  using Align = report::Table::Align;
  std::vector<report::Table::Column> columns;
  for (const std::string& title : shown.titles) columns.push_back({title, title == "design" || title == "bits" || title == "array" || title == "fits" ? Align::left : Align::right});
  report::Table table(columns);
  for (const std::vector<std::string>& row : shown.rows) table.add_row(row);
  fmt::print("{}", table.text());
}

}  // namespace

int compare_designs(const RtlOptions& options) {
  check_written({options.html});
  const rtl::Device& device = rtl::device(options.device.empty() ? "xc7z020" : options.device);
  report::Progress progress(std::cerr, report::stderr_options());
  const std::vector<rtl::CompareRow> rows = rtl::compare({.shape = shape_of(options),
                                                          .outputs = static_cast<std::uint64_t>(options.outputs),
                                                          .seed = options.seed,
                                                          .synthesize_for = options.synthesize ? &device : nullptr,
                                                          .kept = rtl::kept_folder(options.kept),
                                                          .progress = [&](double done, std::string_view name) { progress.update(done, name); }});
  progress.erase();
  if (!options.html.empty()) write_file(options.html, compare_page(rows, device, shape_of(options), table_of(rows, device, shape_of(options))));
  if (options.json) {
    Json out = Json::array();
    for (const rtl::CompareRow& row : rows) out.push_back(json_of(row));
    for (const rtl::Lab6Design& design : rtl::lab6_designs()) out.push_back(json_of(design, shape_of(options)));
    print_json(out);
  } else {
    print_table(table_of(rows, device, shape_of(options)));
  }
  for (const rtl::CompareRow& row : rows)
    if (row.different != 0 || row.cycles != row.predicted) return kNo;
  return kYes;
}

}  // namespace halftone::cli
