// The comparison of designs as one HTML page.
#include <fmt/format.h>

#include "cli/rtl_compare.h"
#include "halftone/report/html.h"
#include "halftone/report/markup.h"
#include "halftone/report/plot.h"
#include "halftone/report/table.h"
#include "halftone/rtl/lab6.h"

namespace halftone::cli {
namespace {

constexpr int kShownBytes = 32;  // a cycle, of arrays in charts

std::string titled(const std::string& title, const std::string& plot) { return "<h2>" + report::escaped(title) + "</h2>\n" + plot; }

// The rows of charts: of each array the one with the most bytes a cycle.
std::vector<const rtl::CompareRow*> shown(const std::vector<rtl::CompareRow>& rows) {
  std::vector<const rtl::CompareRow*> some;
  for (const rtl::CompareRow& row : rows)
    if (row.bytes_a_cycle == 0 || row.bytes_a_cycle == kShownBytes) some.push_back(&row);
  return some;
}

std::string label_of(const rtl::CompareRow& row) { return fmt::format("{}, {}", row.design, row.array); }

std::string cycles_chart(const std::vector<rtl::CompareRow>& rows, const rtl::ProductShape& shape) {
  std::vector<report::Bar> slow, fast;
  for (const rtl::CompareRow* row : shown(rows)) {
    const auto cycles = static_cast<double>(row->cycles);
    (row->array == "1x1" ? slow : fast).push_back({label_of(*row), {cycles}, report::format_count(row->cycles)});
  }
  for (const rtl::Lab6Design& design : rtl::lab6_designs())
    slow.push_back({std::string(design.name), {static_cast<double>(rtl::lab6_latency(design, shape))}, report::format_count(rtl::lab6_latency(design, shape))});
  return titled("Cycles, one multiplier", report::bar_plot(slow, {})) + titled(fmt::format("Cycles, arrays, {} bytes a cycle", kShownBytes), report::bar_plot(fast, {}));
}

std::string energy_chart(const std::vector<rtl::CompareRow>& rows) {
  std::vector<report::Bar> bars;
  for (const rtl::CompareRow* row : shown(rows)) bars.push_back({label_of(*row), {row->arithmetic_nj, row->memory_nj}, fmt::format("{:.0f} nJ", row->arithmetic_nj + row->memory_nj)});
  return titled("Energy of arithmetic and of reading operands, 45 nm", report::bar_plot(bars, {"arithmetic", "memory"}));
}

std::string resources_chart(const std::vector<rtl::CompareRow>& rows, const rtl::Device& device) {
  std::string charts;
  const std::pair<const char*, std::int64_t rtl::Resources::*> kinds[] = {{"DSP", &rtl::Resources::dsp}, {"LUT", &rtl::Resources::lut}, {"FF", &rtl::Resources::ff}, {"BRAM", &rtl::Resources::bram}};
  for (const auto& [name, what] : kinds) {
    std::vector<report::Bar> bars;
    for (const rtl::CompareRow* row : shown(rows))
      if (row->used) bars.push_back({label_of(*row), {static_cast<double>((*row->used).*what)}, fmt::format("{} of {}", (*row->used).*what, device.has.*what)});
    if (bars.empty()) return "";
    for (const rtl::Lab6Design& design : rtl::lab6_designs()) bars.push_back({std::string(design.name), {static_cast<double>(design.used.*what)}, std::to_string(design.used.*what)});
    charts += titled(fmt::format("{} on {}", name, device.name), report::bar_plot(bars, {}));
  }
  return charts;
}

}  // namespace

std::string compare_page(const std::vector<rtl::CompareRow>& rows, const rtl::Device& device, const rtl::ProductShape& shape, const CompareTable& table) {
  report::Page page{.title = fmt::format("One product of matrices, {}x{}x{}", shape.rows, shape.depth, shape.cols)};
  page.facts = {{"device", std::string(device.part)}, {"energy and area", "Horowitz, ISSCC 2014, 45 nm"}};
  page.figure = fmt::format("<style>{}</style>\n", report::kPlotStyle) + cycles_chart(rows, shape) + energy_chart(rows) + resources_chart(rows, device);
  page.notes = {"Cycles are simulated, from the first word or byte in to the last result out; the bound is the least that products and bytes a cycle allow. "
                "Every result was compared with the arithmetic.",
                "Lab 6's resources are those of its report, by another tool, and its cycles a model that meets them at 64x128x64: its clocks of 15.21 ns miss the 10 ns that it asked for. No open tool places this "
                "family of devices, so our designs have no clock here."};
  page.columns = table.titles;
  page.rows = table.rows;
  return report::to_html(page);
}

}  // namespace halftone::cli
