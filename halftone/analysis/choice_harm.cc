#include "halftone/analysis/choice_harm.h"

#include <fmt/format.h>

#include "halftone/analysis/divergence.h"
#include "halftone/analysis/output_error.h"
#include "halftone/ptq/reconstruct.h"

namespace halftone::analysis {
namespace {

constexpr std::int64_t kHarmCalibration = 256;  // samples that weights are chosen on before harm is measured

class Harm {
 public:
  explicit Harm(const BitSearch& search) : search_(search), start_(parameters(search.recipe)) {}

  ChoiceHarms run() {
    std::vector<SearchGroup> tables;
    for (std::size_t g = 0; g < search_.groups.size(); ++g) tables.push_back(tables_of(g));
    choose_weights();
    const std::vector<double> harms = measured();
    const double start = harms.back();
    for (std::size_t p = 0; p < places_.size(); ++p) {
      const Place& place = places_[p];
      SearchGroup& group = tables[place.group];
      (place.alternative ? group.layers[place.layer].harm : group.input_harm)[place.choice] =
          harms[p] - start;
    }
    return {std::move(tables), start};
  }

 private:
  // A number that is to be measured.
  struct Place {
    std::size_t group = 0;
    std::size_t choice = 0;
    std::optional<std::size_t> alternative;  // of a layer's weights; none: the inputs
    std::size_t layer = 0;
  };

  quant::Parameters parameters(const quant::Recipe& recipe) const {
    return quant::choose_parameters(search_.graph, quant::choose_ranges(search_.graph, search_.seen, recipe),
                                    recipe);
  }

  SearchGroup tables_of(std::size_t g) {
    const MixedGroup& group = search_.groups[g];
    SearchGroup tables{.input_harm = std::vector<double>(group.bits.size(), 0.0), .layers = {}};
    for (std::size_t i = 0; i < group.bits.size(); ++i)
      if (group.bits[i] != start_bits(group)) places_.push_back({.group = g, .choice = i});
    for (std::size_t l = 0; l < group.layers.size(); ++l) {
      const MixedLayer& layer = group.layers[l];
      SearchGroup::Layer& table = tables.layers.emplace_back();
      table.harm.assign(layer.bits.size(), 0.0);
      for (std::size_t w = 0; w < layer.bits.size(); ++w) {
        if (layer.bits[w] != start_bits(layer)) add_alternative(g, l, w);
        std::vector<double>& costs = table.cost.emplace_back();
        for (int bits : group.bits) costs.push_back(search_.cost(group, layer, layer.bits[w], bits));
      }
    }
    return tables;
  }

  void add_alternative(std::size_t g, std::size_t l, std::size_t w) {
    const MixedLayer& layer = search_.groups[g].layers[l];
    const ir::Node& node = search_.graph.nodes[layer.node];
    quant::WeightRecipe recipe = layer.weights;
    recipe.format.bits = layer.bits[w];
    const float s_x = start_.activations[static_cast<std::size_t>(node.inputs[0])]->affine.scale;
    places_.push_back({.group = g, .choice = w, .alternative = alternatives_.size(), .layer = l});
    alternatives_.push_back({layer.node, recipe, quant::quantize_layer(search_.graph, node, recipe, s_x)});
  }

  void choose_weights() {
    if (!ptq::reconstructs(search_.recipe)) return;
    const calibration::Samples samples = calibration::sample(search_.calibration, kHarmCalibration);
    const calibration::Runs runs = search_.runs_for(samples, "")(ptq::Stage::choose_weights, search_.graph);
    ptq::reconstruct(search_.graph, start_, search_.recipe, runs, alternatives_);
  }

  quant::Parameters parameters_at(const Place& place) const {
    quant::Parameters result = start_;
    const MixedGroup& group = search_.groups[place.group];
    if (place.alternative) {
      const ptq::Alternative& alternative = alternatives_[*place.alternative];
      result.weights[alternative.node] = alternative.weights;
      return result;
    }
    quant::Parameters other = parameters(with_bits(search_.recipe, group, group.bits[place.choice]));
    result.activations = std::move(other.activations);
    for (const MixedLayer& layer : group.layers)
      result.weights[layer.node] = std::move(other.weights[layer.node]);
    return result;
  }

  std::unique_ptr<ir::Executor> network(const quant::Parameters& parameters) const {
    return search_.make_executor(quant::quantize(search_.graph, parameters, search_.recipe.arithmetic).graph);
  }

  // By place, then of the network as it starts.
  std::vector<double> measured() const {
    std::vector<MakeNetwork> networks;
    for (const Place& place : places_)
      networks.emplace_back([this, &place] { return network(parameters_at(place)); });
    networks.emplace_back([this] { return network(start_); });
    Tensor reference;
    search_.in_batches(search_.harm, "float", [&](const calibration::BatchOptions& batches) {
      reference = outputs_of(*search_.make_executor(search_.graph), search_.harm, batches)[search_.output];
    });
    std::vector<double> harms;
    const std::string title = fmt::format("{} choices", networks.size());
    search_.in_batches(search_.harm, title, [&](const calibration::BatchOptions& batches) {
      harms = measure_divergence(networks, reference, search_.harm, batches, search_.output);
    });
    return harms;
  }

  const BitSearch& search_;
  quant::Parameters start_;
  std::vector<ptq::Alternative> alternatives_;
  std::vector<Place> places_;
};

}  // namespace

ChoiceHarms measure_choices(const BitSearch& search) { return Harm(search).run(); }

}  // namespace halftone::analysis
