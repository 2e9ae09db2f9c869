#include "halftone/analysis/choice_times.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "halftone/analysis/timing.h"
#include "halftone/lower/lower.h"
#include "halftone/quant/quantize.h"

namespace halftone::analysis {
namespace {

constexpr double kMilliseconds = 1e3;

// The kind of a layer's bits: of its weights, or of the inputs of the group that it is the first of.
using Added = std::map<std::pair<std::size_t, int>, double>;

struct AddedTimes {
  Added weights;
  Added inputs;
};

double found_in(const Added& added, std::size_t node, int kind) {
  const auto found = added.find({node, kind});
  return found == added.end() ? 0.0 : found->second;
}

class Measuring {
 public:
  explicit Measuring(const TimedChoices& timed) : timed_(timed), start_(planned(timed.recipe)) {}

  ChoiceTimes run() {
    const auto added = std::make_shared<AddedTimes>();
    for (const MixedGroup& group : timed_.groups) {
      add_choices(group.bits, start_bits(group), added->inputs, group.layers.at(0).node,
                  [&](int bits) { return with_bits(timed_.recipe, group, bits); });
      for (const MixedLayer& layer : group.layers)
        add_choices(layer.bits, start_bits(layer), added->weights, layer.node, [&](int bits) { return with_bits(timed_.recipe, layer, bits); });
    }
    measure_all();
    return {start_time(), [added, kind = timed_.kind](const MixedGroup& group, const MixedLayer& layer, int weight_bits, int input_bits) {
              return found_in(added->weights, layer.node, kind(weight_bits)) +
                     found_in(added->inputs, group.layers.at(0).node, kind(input_bits)) / static_cast<double>(group.layers.size());
            }};
  }

 private:
  struct Choice {
    quant::Recipe recipe;
    double& added;
  };

  template <typename RecipeOf>
  void add_choices(const std::vector<int>& all, int start, Added& added, std::size_t node, RecipeOf recipe_of) {
    for (int bits : all) {
      const int kind = timed_.kind(bits);
      if (kind == timed_.kind(start)) continue;
      const auto [at, is_new] = added.try_emplace({node, kind}, 0.0);
      if (is_new) choices_.push_back({recipe_of(bits), at->second});
    }
  }

  std::function<void()> planned(const quant::Recipe& recipe) const {
    const quant::RangeTable ranges = quant::choose_ranges(timed_.graph, timed_.seen, recipe);
    return timed_.plan(lower::lower(quant::quantize(timed_.graph, ranges, recipe).graph));
  }

  void measure_all() {
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      const std::vector<Timing> times =
          take_times({{.name = "start", .run = start_},
                      {.name = "choice", .run = planned(choices_[i].recipe)},
                      {.name = "start again", .run = start_}},
                     {.seconds = timed_.seconds});
      const double added = times[1].least - times[0].least;
      const double noise = std::abs(times[2].least - times[0].least);
      choices_[i].added = std::abs(added) > noise ? kMilliseconds * added : 0.0;
      starts_.push_back(kMilliseconds * times[0].least);
      if (timed_.progress) timed_.progress(static_cast<double>(i + 1) / static_cast<double>(choices_.size()));
    }
  }

  double start_time() const { return starts_.empty() ? milliseconds_of(start_, timed_.seconds) : *std::ranges::min_element(starts_); }

  const TimedChoices& timed_;
  std::function<void()> start_;
  std::vector<Choice> choices_;
  std::vector<double> starts_;
};

}  // namespace

ChoiceKinds kinds_of(const std::vector<MixedGroup>& groups, const std::function<int(int)>& kind) {
  ChoiceKinds result;
  const auto look = [&](const std::vector<int>& bits) {
    std::set<int> kinds;
    for (int each : bits) kinds.insert(kind(each));
    result.several = result.several || kinds.size() > 1;
    result.alike = result.alike || kinds.size() < bits.size();
  };
  for (const MixedGroup& group : groups) {
    look(group.bits);
    for (const MixedLayer& layer : group.layers) look(layer.bits);
  }
  return result;
}

double milliseconds_of(const std::function<void()>& run, double seconds) {
  return kMilliseconds * take_times({{.name = "network", .run = run}}, {.seconds = seconds}).at(0).least;
}

ChoiceTimes measure_choice_times(const TimedChoices& timed) { return Measuring(timed).run(); }

}  // namespace halftone::analysis
