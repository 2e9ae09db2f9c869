#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "cli/calibration.h"
#include "cli/reference.h"
#include "cli/search_task.h"
#include "halftone/analysis/divergence.h"
#include "halftone/analysis/evaluate.h"
#include "halftone/analysis/output_error.h"
#include "halftone/float_engine/executor.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/quant/ranges.h"
#include "halftone/ptq/reconstruct.h"

namespace halftone::cli {
namespace {

constexpr std::int64_t kHarmCalibration = 256;  // samples that weights are chosen on before harm is measured
constexpr std::size_t kSpread = 9;              // points of the front that are measured whatever is asked for

// The harm that every choice of every layer does by itself, all others as they start. Weights are chosen as the recipe
// says; for other inputs they are rounded to nearest.
class Harm {
 public:
  explicit Harm(const SearchTask& task) : task_(task), start_(parameters(task.recipe)) {}

  // Costs, and harms beside that of the network as it starts.
  std::vector<analysis::SearchGroup> run() {
    std::vector<analysis::SearchGroup> tables;
    for (std::size_t g = 0; g < task_.groups.size(); ++g) tables.push_back(tables_of(g));
    choose_weights();
    const std::vector<double> harms = measured();
    start_harm_ = harms.back();
    for (std::size_t p = 0; p < places_.size(); ++p) {
      const Place& place = places_[p];
      analysis::SearchGroup& group = tables[place.group];
      (place.alternative ? group.layers[place.layer].harm : group.input_harm)[place.choice] =
          harms[p] - start_harm_;
    }
    return tables;
  }
  double of_start() const { return start_harm_; }

 private:
  // A number that is to be measured.
  struct Place {
    std::size_t group = 0;
    std::size_t choice = 0;
    std::optional<std::size_t> alternative;  // of a layer's weights; none: the inputs
    std::size_t layer = 0;
  };

  quant::Parameters parameters(const quant::Recipe& recipe) const {
    return quant::choose_parameters(task_.graph, quant::choose_ranges(task_.graph, task_.seen, recipe),
                                    recipe);
  }

  analysis::SearchGroup tables_of(std::size_t g) {
    const analysis::MixedGroup& group = task_.groups[g];
    analysis::SearchGroup tables{.input_harm = std::vector<double>(group.bits.size(), 0.0), .layers = {}};
    for (std::size_t i = 0; i < group.bits.size(); ++i)
      if (group.bits[i] != start_bits(group)) places_.push_back({.group = g, .choice = i});
    for (std::size_t l = 0; l < group.layers.size(); ++l) {
      const analysis::MixedLayer& layer = group.layers[l];
      analysis::SearchGroup::Layer& table = tables.layers.emplace_back();
      table.harm.assign(layer.bits.size(), 0.0);
      for (std::size_t w = 0; w < layer.bits.size(); ++w) {
        if (layer.bits[w] != start_bits(layer)) add_alternative(g, l, w);
        std::vector<double>& costs = table.cost.emplace_back();
        for (int bits : group.bits) costs.push_back(cost_of(task_.budget, layer.work, layer.bits[w], bits));
      }
    }
    return tables;
  }

  void add_alternative(std::size_t g, std::size_t l, std::size_t w) {
    const analysis::MixedLayer& layer = task_.groups[g].layers[l];
    const ir::Node& node = task_.graph.nodes[layer.node];
    quant::WeightRecipe recipe = layer.weights;
    recipe.format.bits = layer.bits[w];
    const float s_x = start_.activations[static_cast<std::size_t>(node.inputs[0])]->affine.scale;
    places_.push_back({.group = g, .choice = w, .alternative = alternatives_.size(), .layer = l});
    alternatives_.push_back({layer.node, recipe, quant::quantize_layer(task_.graph, node, recipe, s_x)});
  }

  void choose_weights() {
    if (!ptq::reconstructs(task_.recipe)) return;
    const calibration::Samples samples = calibration::sample(task_.calibration, kHarmCalibration);
    const calibration::Runs runs = runs_for(samples, task_.options.data)(ptq::Stage::choose_weights, task_.graph);
    ptq::reconstruct(task_.graph, start_, task_.recipe, runs, alternatives_);
  }

  quant::Parameters parameters_at(const Place& place) const {
    quant::Parameters result = start_;
    const analysis::MixedGroup& group = task_.groups[place.group];
    if (place.alternative) {
      const ptq::Alternative& alternative = alternatives_[*place.alternative];
      result.weights[alternative.node] = alternative.weights;
      return result;
    }
    quant::Parameters other = parameters(with_bits(task_.recipe, group, group.bits[place.choice]));
    result.activations = std::move(other.activations);
    for (const analysis::MixedLayer& layer : group.layers)
      result.weights[layer.node] = std::move(other.weights[layer.node]);
    return result;
  }

  std::unique_ptr<ir::Executor> network(const quant::Parameters& parameters) const {
    return float_engine::make_executor(
        quant::quantize(task_.graph, parameters, task_.recipe.arithmetic).graph);
  }

  // By place, then of the network as it starts.
  std::vector<double> measured() const {
    std::vector<analysis::MakeNetwork> networks;
    for (const Place& place : places_)
      networks.emplace_back([this, &place] { return network(parameters_at(place)); });
    networks.emplace_back([this] { return network(start_); });
    const std::size_t output = output_index(task_.model, task_.options.scores);
    Tensor reference;
    with_progress(task_.options.data, task_.harm, "float", [&](const auto& batches) {
      reference =
          analysis::outputs_of(*float_engine::make_executor(task_.graph), task_.harm, batches)[output];
    });
    std::vector<double> harms;
    const std::string title = fmt::format("{} choices", networks.size());
    with_progress(task_.options.data, task_.harm, title, [&](const auto& batches) {
      harms = analysis::measure_divergence(networks, reference, task_.harm, batches, output);
    });
    return harms;
  }

  const SearchTask& task_;
  quant::Parameters start_;
  std::vector<ptq::Alternative> alternatives_;
  std::vector<Place> places_;
  double start_harm_ = 0.0;
};

// Networks on the held-out samples.
class HeldOut {
 public:
  explicit HeldOut(const SearchTask& task) : task_(task) {
    float_ = predictions(*float_engine::make_executor(task.graph), "float");
  }

  double float_accuracy() const { return drop_of(float_).accuracy; }

  Drop simulated(const quant::Recipe& recipe, const std::string& title) const {
    return drop_of(
        predictions(*float_engine::make_executor(quantized(recipe, title).quantized.graph), title));
  }

  Drop integers(const ptq::Integers& model) const {
    return drop_of(predictions(qgraph::Interpreter(model.integers), "integers"));
  }

  ptq::Integers quantized(const quant::Recipe& recipe, const std::string& title) const {
    const quant::RangeTable ranges = quant::choose_ranges(task_.graph, task_.seen, recipe);
    const quant::Parameters parameters = ptq::choose_parameters(task_.model.graph, task_.graph, ranges, recipe,
                                                                runs_for(task_.calibration, task_.options.data, nullptr, title));
    ptq::Integers made = ptq::integers_of(task_.graph, parameters, recipe, task_.options.model);
    if (!task_.options.file.allow_float) refuse_islands(made.islands, task_.options.model);
    return made;
  }

 private:
  std::vector<std::int32_t> predictions(const ir::Executor& network, const std::string& title) const {
    std::vector<std::int32_t> result;
    with_progress(task_.options.data, task_.held_out, title, [&](const auto& batches) {
      result = analysis::evaluate(network, task_.held_out, batches,
                                  output_index(task_.model, task_.options.scores))
                   .predictions;
    });
    return result;
  }

  Drop drop_of(const std::vector<std::int32_t>& predicted) const {
    const std::vector<std::int32_t>& labels = task_.held_out.labels;
    std::int64_t right = 0;
    std::int64_t lost = 0;
    std::int64_t gained = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const bool now = predicted[i] == labels[i];
      const bool before = float_[i] == labels[i];
      right += now ? 1 : 0;
      lost += before && !now ? 1 : 0;
      gained += now && !before ? 1 : 0;
    }
    const auto n = static_cast<double>(labels.size());
    const auto net = static_cast<double>(lost - gained);
    return {.points = 100.0 * net / n,
            .error = 100.0 * std::sqrt(static_cast<double>(lost + gained) - net * net / n) / n,
            .accuracy = 100.0 * static_cast<double>(right) / n};
  }

  const SearchTask& task_;
  std::vector<std::int32_t> float_;
};

class Choosing {
 public:
  Choosing(const SearchTask& task, SearchResult& result) : task_(task), result_(result), held_out_(task) {
    result_.float_accuracy = held_out_.float_accuracy();
    result_.start = held_out_.simulated(task.recipe, "all as they start");
  }

  void run() {
    const std::size_t last = result_.front.size() - 1;
    for (std::size_t i = 0; i < kSpread; ++i) measure(i * last / (kSpread - 1));
    if (task_.options.max_drop) choose_by_drop();
    if (task_.limit) choose_by_cost();
  }

 private:
  quant::Recipe recipe_of(std::size_t i) const {
    return with_bits(task_.recipe, task_.groups, result_.front[i].assigned.groups);
  }

  double measure(std::size_t i) {
    std::optional<Drop>& drop = result_.front[i].drop;
    if (!drop) drop = held_out_.simulated(recipe_of(i), fmt::format("point {} of the front", i + 1));
    return drop->points;
  }

  bool is_held(std::size_t i) { return measure(i) <= *task_.options.max_drop; }

  // The chosen one in integers.
  void take(std::size_t i) {
    result_.recipe = recipe_of(i);
    result_.model = held_out_.quantized(result_.recipe, "the chosen one");
    result_.chosen_drop = held_out_.integers(*result_.model);
    result_.chosen = i;
  }

  // Between the cheapest point that is known to hold and the one before it that is not; what then does not
  // hold in integers leaves the choice to the next.
  void choose_by_drop() {
    std::size_t high = 0;
    std::size_t low = 0;
    for (; high < result_.front.size() && !(result_.front[high].drop && is_held(high)); ++high)
      if (result_.front[high].drop) low = high;
    while (high < result_.front.size() && high > low + 1) {
      const std::size_t middle = (low + high) / 2;
      (is_held(middle) ? high : low) = middle;
    }
    for (; high < result_.front.size(); ++high) {
      if (!is_held(high)) continue;
      take(high);
      if (result_.chosen_drop.points <= *task_.options.max_drop) return;
    }
    result_.chosen.reset();
  }

  void choose_by_cost() {
    std::size_t i = result_.front.size() - 1;
    while (i > 0 && result_.front[i].assigned.cost > *task_.limit) --i;
    measure(i);
    take(i);
  }

  const SearchTask& task_;
  SearchResult& result_;
  HeldOut held_out_;
};

}  // namespace

SearchResult search(const SearchTask& task) {
  SearchResult result;
  Harm harm(task);
  const std::vector<analysis::SearchGroup> tables = harm.run();
  result.start_harm = harm.of_start();
  for (analysis::Assigned& assigned : analysis::convex_front(tables)) {
    assigned.harm += result.start_harm;
    result.front.push_back({std::move(assigned), std::nullopt});
  }
  Choosing(task, result).run();
  return result;
}

}  // namespace halftone::cli
