#include "halftone/report/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/report/markup.h"

namespace halftone::report {

const std::string_view kPlotStyle =
    "svg{font:12px system-ui,sans-serif}svg text{fill:#222}svg .note{fill:#666;font-size:11px}"
    ".k0{fill:#4477aa}.k1{fill:#ee9944}.k2{fill:#66aa55}.k3{fill:#aa4499}.k4{fill:#66ccee}.k5{fill:#bbbb44}"
    ".k6{fill:#cc6677}.k7{fill:#888888}.axis{stroke:#999;stroke-width:1}"
    ".clip{stroke:#cc3311;stroke-width:1.5}.sigma{fill:#4477aa;opacity:0.12}\n";

namespace {

constexpr double kLabelWidth = 230.0;
constexpr double kBarWidth = 420.0;
constexpr double kTextWidth = 130.0;
constexpr double kRow = 20.0;
constexpr std::size_t kLabelCharacters = 34;

double drawn(double part) { return std::isfinite(part) && part > 0.0 ? part : 0.0; }

double total(const Bar& bar) {
  double sum = 0.0;
  for (double part : bar.parts) sum += drawn(part);
  return sum;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// The end of a long label, where names of layers differ.
std::string shortened(const std::string& label) {
  if (label.size() <= kLabelCharacters) return label;
  std::size_t from = label.size() - kLabelCharacters;
  while (from < label.size() && is_continuation(label[from])) ++from;
  return "…" + label.substr(from);
}

std::string opening(double width, double height, std::string_view title) {
  return fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{0}" height="{1}" viewBox="0 0 {0} {1}"><title>{2}</title>)"
      "\n",
      coordinate(width), coordinate(height), escaped(title));
}

std::string text_at(double x, double y, std::string_view text, std::string_view attributes = "") {
  return fmt::format(R"(<text x="{}" y="{}"{}{}>{}</text>)", coordinate(x), coordinate(y),
                     attributes.empty() ? "" : " ", attributes, escaped(text));
}

std::string rectangle(double x, double y, double width, double height, std::string_view kind,
                      std::string_view title) {
  return fmt::format(R"(<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>)",
                     kind, coordinate(x), coordinate(y), coordinate(width), coordinate(height),
                     escaped(title));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view kind) {
  return fmt::format(R"(<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>)", kind, coordinate(x1),
                     coordinate(y1), coordinate(x2), coordinate(y2));
}

std::string legend(const std::vector<std::string>& kinds) {
  std::string out;
  double x = kLabelWidth;
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    out += rectangle(x, 4, 11, 11, fmt::format("k{}", k % 8), kinds[k]) + text_at(x + 15, 14, kinds[k]);
    x += 34.0 + 7.0 * static_cast<double>(kinds[k].size());
  }
  return out + "\n";
}

std::string bar_row(const Bar& bar, const std::vector<std::string>& kinds, double y, double scale) {
  std::string out = fmt::format("<g><title>{}</title>", escaped(bar.label));
  out += text_at(kLabelWidth - 8, y + 14, shortened(bar.label), R"(text-anchor="end")");
  double x = kLabelWidth;
  for (std::size_t k = 0; k < bar.parts.size(); ++k) {
    const double width = drawn(bar.parts[k]) * scale;
    const std::string kind = k < kinds.size() ? kinds[k] + ": " : "";
    if (width > 0.0)
      out += rectangle(x, y + 3, width, kRow - 6, fmt::format("k{}", k % 8),
                       fmt::format("{}{:.4g}", kind, bar.parts[k]));
    x += width;
  }
  return out + text_at(x + 6, y + 14, bar.text, R"(class="note")") + "</g>\n";
}

}  // namespace

std::string bar_plot(const std::vector<Bar>& bars, const std::vector<std::string>& kinds) {
  const double top = kinds.empty() ? 4.0 : 24.0;
  const double height = top + kRow * static_cast<double>(bars.size()) + 4.0;
  double largest = 0.0;
  for (const Bar& bar : bars) largest = std::max(largest, total(bar));
  const double scale = largest > 0.0 ? kBarWidth / largest : 0.0;
  std::string out = opening(kLabelWidth + kBarWidth + kTextWidth, height, "bars");
  if (!kinds.empty()) out += legend(kinds);
  for (std::size_t i = 0; i < bars.size(); ++i)
    out += bar_row(bars[i], kinds, top + kRow * static_cast<double>(i), scale);
  return out + line(kLabelWidth, top, kLabelWidth, height - 4.0, "axis") + "</svg>\n";
}

std::string histogram_plot(const HistogramPlot& histogram) {
  constexpr double kWidth = 320.0;
  constexpr double kHeight = 110.0;
  constexpr double kFloor = 92.0;
  constexpr double kSide = 8.0;
  const double lo = std::min(histogram.range.lo, histogram.clip.lo);
  const double hi = std::max(histogram.range.hi, histogram.clip.hi);
  const double scale = hi > lo ? (kWidth - 2 * kSide) / (hi - lo) : 0.0;
  const auto place = [&](double x) { return kSide + (std::clamp(x, lo, hi) - lo) * scale; };
  std::int64_t most = 1;
  for (std::int64_t count : histogram.counts) most = std::max(most, count);
  const double high = (kFloor - 6.0) / std::log1p(static_cast<double>(most));
  const double step = (histogram.range.hi - histogram.range.lo) /
                      static_cast<double>(std::max<std::size_t>(histogram.counts.size(), 1));

  std::string out = opening(kWidth, kHeight, "histogram");
  const double left = place(histogram.sigma.lo);
  out += rectangle(left, 4, place(histogram.sigma.hi) - left, kFloor - 4, "sigma", "mean ± 3 sigma");
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    if (histogram.counts[i] == 0) continue;
    const double from = histogram.range.lo + step * static_cast<double>(i);
    const double tall = high * std::log1p(static_cast<double>(histogram.counts[i]));
    const double width = std::max(place(from + step) - place(from), 0.5);
    out += rectangle(place(from), kFloor - tall, width, tall, "k0",
                     fmt::format("{:.4g} to {:.4g}: {}", from, from + step, histogram.counts[i]));
  }
  out += line(kSide, kFloor, kWidth - kSide, kFloor, "axis");
  for (double x : {histogram.clip.lo, histogram.clip.hi}) out += line(place(x), 2, place(x), kFloor, "clip");
  out += text_at(kSide, kHeight - 4, fmt::format("{:.4g}", lo), R"(class="note")");
  out += text_at(kWidth - kSide, kHeight - 4, fmt::format("{:.4g}", hi), R"(class="note" text-anchor="end")");
  return out + "</svg>\n";
}

}  // namespace halftone::report
