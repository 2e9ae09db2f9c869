#include "halftone/calibration/observer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "halftone/base/error.h"

namespace halftone::calibration {

std::span<const Observer> observers() {
  static constexpr Observer kRows[] = {
      {.name = "minmax", .choose = min_max},
      {"moving-average", "momentum", 0.9, 0.0, 0.97, moving_average},
      {"percentile", "percent of the values", 99.99, 51.0, 100.0, percentile},
      {"sigma", "standard deviations", 3.0, 0.1, 100.0, k_sigma},
      {.name = "kl", .choose = kl_divergence, .values_a_level = 8},
      {.name = "mse", .choose = mean_squared_error},
      {.name = "l1", .choose = mean_absolute_error},
      {"fixed", "fraction length", 4.0, -64.0, 64.0, fixed_point, true},
  };
  return kRows;
}

ObserverChoice parse_observer(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const auto found = std::ranges::find(observers(), name, &Observer::name);
  if (found == observers().end()) {
    std::vector<std::string_view> names;
    for (const Observer& observer : observers()) names.push_back(observer.name);
    throw UsageError("observer", fmt::format("got '{}', expected one of {}", name, fmt::join(names, ", ")));
  }
  ObserverChoice choice{&*found, found->usual};
  if (equals == std::string_view::npos) return choice;
  if (found->number_text.empty()) throw UsageError("observer", fmt::format("'{}' takes no number", name));
  const std::string_view digits = text.substr(equals + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), choice.number);
  if (error != std::errc() || end != digits.data() + digits.size() || !(choice.number >= found->least) ||
      !(choice.number <= found->most) || (found->whole && choice.number != std::trunc(choice.number)))
    throw UsageError("observer",
                     fmt::format("{} of '{}', got '{}', expected {}{} to {}", found->number_text, name, digits,
                                 found->whole ? "a whole number from " : "", found->least, found->most));
  return choice;
}

std::string describe(const ObserverChoice& choice) {
  if (choice.observer->number_text.empty()) return std::string(choice.observer->name);
  return fmt::format("{}={}", choice.observer->name, choice.number);
}

}  // namespace halftone::calibration
