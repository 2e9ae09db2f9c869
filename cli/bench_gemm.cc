#include "cli/bench_gemm.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "cli/dot_product_rate.h"
#include "cli/number_list.h"
#include "halftone/base/error.h"
#include "halftone/kernels/linear/linear.h"
#include "halftone/numeric/multiplier.h"
#include "halftone/peers/onednn_matmul.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

constexpr std::int64_t kMostSize = 1 << 16;
constexpr std::int64_t kMostElements = 1 << 30;  // of a matrix

std::int64_t macs_of(const GemmSizes& sizes) { return sizes.rows * sizes.depth * sizes.columns; }
std::string name_of(const GemmSizes& sizes) { return fmt::format("{}x{}x{}", sizes.rows, sizes.depth, sizes.columns); }

// A layer packed for an instruction set, and what it reads and writes.
class GemmRun {
 public:
  GemmRun(const GemmSizes& sizes, int bits, kernels::Isa isa)
      : x_(bytes(sizes.rows * sizes.depth + kernels::kReadBehind)), y_(bytes(sizes.rows * sizes.columns)) {
    std::mt19937 random(1);
    const int most = (1 << (bits - 1)) - 1;
    std::vector<std::int16_t> w(bytes(sizes.columns * sizes.depth));
    for (std::int16_t& v : w) v = static_cast<std::int16_t>(static_cast<int>(random() % static_cast<unsigned>(2 * most + 1)) - most);
    for (std::uint8_t& v : x_) v = static_cast<std::uint8_t>(random());
    const std::vector<std::int32_t> bias(bytes(sizes.columns));
    const std::vector<std::int64_t> bound(bytes(sizes.columns), 255 * most * sizes.depth);
    // Sums of K random products, spread over the bytes.
    const numeric::Multiplier scale =
        numeric::multiplier_from(0.5 / (static_cast<double>(most) * std::sqrt(static_cast<double>(sizes.depth))), 32);
    const kernels::Requantization end{.m = std::vector<std::int64_t>(bytes(sizes.columns), scale.m),
                                      .shift = std::vector<int>(bytes(sizes.columns), scale.shift()),
                                      .M = {},
                                      .bounds = {.zero_point = 128, .lo = 0, .hi = 255}};
    linear_ = kernels::pack_linear(isa, {.channels = sizes.columns, .taps = 1, .depth = sizes.depth, .w = w, .bias = bias, .bound = bound}, end);
    run_ = {.x = x_.data(), .x_pixel = sizes.depth, .taps = &tap_, .pixels = sizes.rows, .y = y_.data(), .y_pixel = sizes.columns};
  }
  GemmRun(const GemmRun&) = delete;
  GemmRun& operator=(const GemmRun&) = delete;

  int weight_bits() const { return linear_->weight_bits(); }
  void operator()() const {
    for (std::int64_t panel = 0; panel < linear_->panels(); ++panel) linear_->run(run_, panel);
  }

 private:
  static std::size_t bytes(std::int64_t count) { return static_cast<std::size_t>(count); }

  std::vector<std::uint8_t> x_;
  std::vector<std::uint8_t> y_;
  std::ptrdiff_t tap_ = 0;
  std::unique_ptr<kernels::Linear> linear_;
  kernels::LinearRun run_;
};

// oneDNN's matmul; nothing, and a word why, where there is none.
std::function<void()> onednn_run(const GemmSizes& sizes, std::vector<std::string>& skipped) {
  try {
    auto matmul = std::make_shared<peers::OnednnMatmul>(peers::MatmulSizes{sizes.rows, sizes.depth, sizes.columns});
    return [matmul] { matmul->run(); };
  } catch (const InputError& error) {
    skipped.push_back(fmt::format("skipped: onednn: {}: {}", name_of(sizes), error.what()));
    return {};
  }
}

std::vector<GemmRow> time_gemm(const GemmSizes& sizes, const GemmOptions& options, const std::function<void(double)>& progress,
                               std::vector<std::string>& skipped) {
  std::vector<GemmRow> rows;
  std::vector<analysis::Contender> contenders;
  const auto add = [&](const std::string& peer, const std::string& isa, int bits, std::function<void()> run) {
    GemmRow& row = rows.emplace_back();
    row.row.network = name_of(sizes);
    row.row.batch = sizes.rows;
    row.row.peer = peer;
    row.row.isa = isa;
    row.bits = bits;
    contenders.push_back({name_of(sizes), macs_of(sizes), std::move(run)});
  };
  for (kernels::Isa isa : options.isas)
    for (int bits : options.bits) {
      auto run = std::make_shared<GemmRun>(sizes, bits, isa);
      add(kOurs, std::string(kernels::name_of(isa)), bits, [run] { (*run)(); });
      rows.back().stored_bits = run->weight_bits();
    }
  if (auto run = onednn_run(sizes, skipped)) add("onednn", "", 8, std::move(run));
  const std::vector<analysis::Timing> timings =
      analysis::take_times(contenders, {.seconds = options.seconds, .ceiling = [] { return dot_product_rate(1); }, .progress = progress});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].row.timing = timings[i];
    rows[i].row.ratio = timings[i].median / timings[0].median;
    rows[i].weight_rate = static_cast<double>(sizes.depth * sizes.columns) * rows[i].stored_bits / 8.0 / timings[i].median;
  }
  return rows;
}

}  // namespace

std::vector<GemmSizes> parse_gemms(const std::string& option, const std::string& text) {
  std::vector<GemmSizes> gemms;
  for (const std::string& word : parse_words(option, text)) {
    std::vector<std::int64_t> sizes;
    const char* at = word.data();
    const char* const end = word.data() + word.size();
    for (bool more = true; more && sizes.size() < 4;) {
      std::int64_t size = 0;
      const auto [behind, error] = std::from_chars(at, end, size);
      sizes.push_back(error == std::errc() && size <= kMostSize ? size : 0);
      more = behind != end && *behind == 'x';
      at = behind + (more ? 1 : 0);
    }
    const bool is_whole = at == end && sizes.size() == 3 && sizes[0] > 0 && sizes[1] > 0 && sizes[2] > 0;
    if (!is_whole || std::max({sizes[0] * sizes[1], sizes[1] * sizes[2], sizes[0] * sizes[2]}) > kMostElements)
      throw UsageError(option, fmt::format("got '{}', expected MxKxN as 512x512x512, each from 1 to {} and no matrix of more than {} elements",
                                           word, kMostSize, kMostElements));
    gemms.push_back({sizes[0], sizes[1], sizes[2]});
  }
  return gemms;
}

std::vector<GemmRow> time_gemms(const GemmOptions& options, std::vector<std::string>& skipped) {
  std::vector<GemmRow> rows;
  for (std::size_t i = 0; i < options.sizes.size(); ++i) {
    const auto progress = [&](double part) { options.progress((static_cast<double>(i) + part) / static_cast<double>(options.sizes.size())); };
    for (GemmRow& row : time_gemm(options.sizes[i], options, progress, skipped)) rows.push_back(std::move(row));
  }
  return rows;
}

nlohmann::json to_json(const GemmRow& row) {
  nlohmann::json json = to_json(row.row);
  json["bits"] = row.bits;
  json["stored_bits"] = row.stored_bits;
  json["weights_gb_s"] = row.weight_rate / 1e9;
  return json;
}

std::string text_of(const std::vector<GemmRow>& rows) {
  using Align = report::Table::Align;
  report::Table table({{"MxKxN"},
                       {"peer"},
                       {"weights"},
                       {"median ms", Align::right},
                       {"least ms", Align::right},
                       {"share of ceiling", Align::right},
                       {"times ours", Align::right},
                       {"weights GB/s", Align::right},
                       {""}});
  for (const GemmRow& each : rows) {
    const BenchRow& row = each.row;
    const std::string stored = each.bits == each.stored_bits ? "" : fmt::format(", stored in {} bits", each.stored_bits);
    table.add_row({row.network, row.isa.empty() ? row.peer : fmt::format("{} {}", row.peer, row.isa),
                   fmt::format("{} bits{}", each.bits, stored), fmt::format("{:.4f}", row.timing.median * 1e3),
                   fmt::format("{:.4f}", row.timing.least * 1e3), row.timing.share > 0 ? fmt::format("{:.2f}", row.timing.share) : "",
                   fmt::format("{:.2f}", row.ratio), fmt::format("{:.2f}", each.weight_rate / 1e9), row.timing.quiet ? "" : "not quiet"});
  }
  return table.text();
}

}  // namespace halftone::cli
