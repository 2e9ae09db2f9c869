#include "halftone/report/training_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "halftone/report/html.h"
#include "halftone/report/line_plot.h"

namespace halftone::report {
namespace {

using Epoch = TrainingCurve::Epoch;

// A number that epochs have; one that no epoch has is not shown.
struct Series {
  std::string name;
  std::function<std::optional<double>(const Epoch&)> value;
  int decimals = 2;
  std::string unit;

  std::string text(double number) const { return fmt::format("{:.{}f}{}", number, decimals, unit); }
};

std::optional<double> percent(std::optional<double> part) {
  return part ? std::optional(100.0 * *part) : std::nullopt;
}

Series loss() {
  return {.name = "loss", .value = [](const Epoch& epoch) { return epoch.loss; }, .decimals = 4};
}

std::vector<Series> accuracies(const std::vector<Epoch>& epochs) {
  std::vector<Series> all{
      {.name = "training rows",
       .value = [](const Epoch& epoch) { return percent(epoch.training); },
       .unit = " %"},
      {.name = "held-out rows",
       .value = [](const Epoch& epoch) { return percent(epoch.held_out); },
       .unit = " %"},
      {.name = "test rows", .value = [](const Epoch& epoch) { return percent(epoch.test); }, .unit = " %"}};
  std::erase_if(all, [&](const Series& series) {
    return std::ranges::none_of(epochs, [&](const Epoch& epoch) { return series.value(epoch).has_value(); });
  });
  return all;
}

LinePlot::Curve curve_of(const Series& series, const std::vector<Epoch>& epochs) {
  LinePlot::Curve curve{.name = series.name};
  for (const Epoch& epoch : epochs)
    if (const std::optional<double> y = series.value(epoch))
      curve.points.push_back(
          {.x = static_cast<double>(epoch.epoch),
           .y = *y,
           .text = fmt::format("{}, epoch {}: {}", series.name, epoch.epoch, series.text(*y))});
  return curve;
}

// Between the last epoch in float and the first that is not.
std::optional<LinePlot::Mark> start_of_quantization(const std::vector<Epoch>& epochs) {
  const auto first = std::ranges::find_if(epochs, &Epoch::quantized);
  if (first == epochs.begin() || first == epochs.end()) return std::nullopt;
  return LinePlot::Mark{.x = (first->epoch + std::prev(first)->epoch) / 2.0, .text = "quantization starts"};
}

std::string plot_of(const std::string& title, const std::string& y_title, const std::vector<Series>& shown,
                    const std::vector<Epoch>& epochs) {
  LinePlot plot{.title = title,
                .x_title = "epoch",
                .y_title = y_title,
                .mark = start_of_quantization(epochs),
                .with_zero = false,
                .least_x_step = 1.0};
  for (const Series& series : shown) plot.curves.push_back(curve_of(series, epochs));
  if (plot.curves.size() == 1 && shown[0].name == y_title) plot.curves[0].name.clear();
  return line_plot(plot);
}

std::vector<std::string> row_of(const Epoch& epoch, const std::vector<Series>& shown) {
  std::vector<std::string> row{fmt::format("{}", epoch.epoch), epoch.quantized ? "quantized" : "float"};
  for (const Series& series : shown) {
    const std::optional<double> number = series.value(epoch);
    row.push_back(number ? series.text(*number) : "");
  }
  return row;
}

}  // namespace

std::string training_page(const TrainingCurve& training) {
  const std::vector<Epoch>& epochs = training.epochs;
  std::vector<Series> shown = accuracies(epochs);
  Page page{
      .title = training.title,
      .facts = training.facts,
      .figure = plot_of("accuracy", "accuracy, %", shown, epochs) + plot_of("loss", "loss", {loss()}, epochs),
      .columns = {"epoch", "network"}};
  shown.insert(shown.begin(), loss());
  for (const Series& series : shown) page.columns.push_back(series.name);
  for (const Epoch& epoch : epochs) page.rows.push_back(row_of(epoch, shown));
  return to_html(page);
}

}  // namespace halftone::report
