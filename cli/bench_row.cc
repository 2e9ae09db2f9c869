#include "cli/bench_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

using Align = report::Table::Align;

// "" of 0, which stands for none.
std::string with_digits(double value, int digits) { return value > 0 ? fmt::format("{:.{}f}", value, digits) : ""; }

nlohmann::json to_json(const LayerTime& layer) {
  return {
      {"name", layer.name}, {"microseconds", layer.seconds * 1e6}, {"part", layer.part}, {"gmacs", layer.rate / 1e9}, {"share", layer.share}};
}

}  // namespace

nlohmann::json to_json(const BenchRow& row) {
  nlohmann::json json{{"network", row.network},
                      {"batch", row.batch},
                      {"threads", row.threads},
                      {"peer", row.peer},
                      {"median_ms", row.timing.median * 1e3},
                      {"min_ms", row.timing.least * 1e3},
                      {"share", row.timing.share},
                      {"ratio", row.ratio},
                      {"samples", row.timing.samples},
                      {"quiet", row.timing.quiet}};
  if (!row.isa.empty()) json["isa"] = row.isa;
  if (row.load) {
    json["load_ms"] = row.load->seconds * 1e3;
    json["memory_mb"] = row.load->bytes / 1e6;
    json["peak_memory_mb"] = row.load->most_bytes / 1e6;
  }
  for (const LayerTime& layer : row.layers) json["layers"].push_back(to_json(layer));
  return json;
}

std::string text_of(const std::vector<BenchRow>& rows) {
  report::Table table({{"network"},
                       {"batch", Align::right},
                       {"threads", Align::right},
                       {"peer"},
                       {"median ms", Align::right},
                       {"least ms", Align::right},
                       {"share of ceiling", Align::right},
                       {"times ours", Align::right},
                       {"load ms", Align::right},
                       {"memory MB", Align::right},
                       {"at most", Align::right},
                       {""}});
  for (const BenchRow& row : rows)
    table.add_row({row.network, std::to_string(row.batch), std::to_string(row.threads),
                   row.isa.empty() ? row.peer : fmt::format("{} {}", row.peer, row.isa), fmt::format("{:.4f}", row.timing.median * 1e3),
                   fmt::format("{:.4f}", row.timing.least * 1e3), with_digits(row.timing.share, 2), with_digits(row.ratio, 2),
                   row.load ? fmt::format("{:.1f}", row.load->seconds * 1e3) : "", row.load ? fmt::format("{:.1f}", row.load->bytes / 1e6) : "",
                   row.load ? fmt::format("{:.1f}", row.load->most_bytes / 1e6) : "", row.timing.quiet ? "" : "not quiet"});
  return table.text();
}

std::string layers_text(const BenchRow& row) {
  report::Table table(
      {{"layer"}, {"microseconds", Align::right}, {"part of time", Align::right}, {"GMAC/s", Align::right}, {"share of ceiling", Align::right}});
  double sum = 0.0;
  for (const LayerTime& layer : row.layers) {
    table.add_row({layer.name, fmt::format("{:.2f}", layer.seconds * 1e6), fmt::format("{:.1f} %", layer.part * 100.0),
                   with_digits(layer.rate / 1e9, 1), with_digits(layer.share, 2)});
    sum += layer.seconds;
  }
  table.add_row({"all", fmt::format("{:.2f}", sum * 1e6), "", "", ""});
  return table.text();
}

}  // namespace halftone::cli
