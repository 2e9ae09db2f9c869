#include "halftone/qat/fake_quantized.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "halftone/base/error.h"
#include "halftone/qat/folded_normalization.h"
#include "halftone/qat/quantizers/steps.h"
#include "halftone/qat/trainable.h"
#include "halftone/quant/weights.h"

namespace halftone::qat {
namespace {

float power_of_two_above(float x) { return x > 0.0F ? std::exp2(std::ceil(std::log2(x))) : 1.0F; }

StepBounds bounds_of(const numeric::IntegerFormat& format) { return {static_cast<float>(format.qmin()), static_cast<float>(format.qmax())}; }

// The bias as the parameters have it, which may be a corrected one.
torch::Tensor corrected_bias(const quant::QuantizedWeights& weights, float s_x) {
  std::vector<float> bias;
  for (std::size_t c = 0; c < weights.bias.size(); ++c)
    bias.push_back(static_cast<float>(weights.bias[c]) * s_x * weights.params.affine[weights.params.affine.size() == 1 ? 0 : c].scale);
  return torch::tensor(bias);
}

void write_bias(quant::QuantizedWeights& weights, std::span<const float> bias, float s_x, const std::string& where) {
  for (std::size_t c = 0; c < weights.bias.size(); ++c) {
    weights.bias[c] = numeric::quantize_bias(bias[c], s_x, weights.params.affine[weights.params.affine.size() == 1 ? 0 : c].scale);
    if (std::abs(weights.bias[c]) > numeric::kMaxBias)
      throw UsageError(where, fmt::format("the bias of channel {} is beyond 2^30 of its steps, expected fewer bits or, where steps are learnt, a lower rate of steps", c));
  }
}

}  // namespace

struct FakeQuantized::Layer {
  std::string name;
  std::int64_t axis = -1;  // of its steps
  std::unique_ptr<WeightQuantizer> weights;
  float bias_unit = 1.0F;
  torch::Tensor b;  // bias in units; undefined where there is none that becomes integers
  std::shared_ptr<ActivationQuantizer> x;
  torch::Tensor steps;  // of this run
  std::optional<FoldedNormalization> normalization;

  torch::Tensor own_bias() const { return b * bias_unit; }
  // As the file has them.
  torch::Tensor steps_now() const { return normalization ? normalization->steps(weights->steps()) : weights->steps(); }
  torch::Tensor bias() const { return normalization ? normalization->bias(weights->steps(), own_bias()) : own_bias(); }
};

FakeQuantized::FakeQuantized(const ir::Graph& network, const quant::Parameters& parameters, const Quantizer& quantizer, const Ranks& ranks)
    : layers_(network.nodes.size()), activations_(network.values.size()), normalized_(network.values.size()), ranks_(ranks) {
  std::map<ir::ValueId, std::shared_ptr<ActivationQuantizer>> by_class;
  for (std::size_t id = 0; id < network.values.size(); ++id) {
    names_.push_back(network.values[id].name);
    if (!parameters.activations[id]) continue;
    const auto [format, affine] = *parameters.activations[id];
    std::shared_ptr<ActivationQuantizer>& of_class = by_class[parameters.plan.scale_class[id]];
    if (!of_class) {
      of_class = quantizer.activations({format, affine, &ranks});
      classes_.push_back(id);
    }
    activations_[id] = of_class;
  }
  for (std::size_t n = 0; n < network.nodes.size(); ++n)
    if (parameters.weights[n]) layers_[n] = layer_of(network, n, parameters, quantizer);
  find_normalized(network);
}

void FakeQuantized::find_normalized(const ir::Graph& network) {
  for (std::size_t n = 0; n < network.nodes.size(); ++n) {
    Layer* layer = layers_[n].get();
    const ir::Node& node = network.nodes[n];
    if (layer && layer->axis >= 0 && layer->b.defined() && can_normalize(network, node)) normalized_[static_cast<std::size_t>(node.outputs.at(0))] = layer;
  }
}

void FakeQuantized::normalize(const TorchGraph& graph, std::span<const torch::Tensor> rows) {
  const torch::NoGradGuard guard;
  for (Layer* layer : normalized_)
    if (layer) layer->normalization.emplace(layer->weights->steps(), ranks_);
  measures_ = true;
  for (const torch::Tensor& some : rows) graph.run(std::span(&some, 1), this);
  measures_ = false;
  for (Layer* layer : normalized_)
    if (layer) layer->normalization->begin();
}

FakeQuantized::~FakeQuantized() = default;

std::unique_ptr<FakeQuantized::Layer> FakeQuantized::layer_of(const ir::Graph& network, std::size_t n, const quant::Parameters& parameters, const Quantizer& quantizer) const {
  const quant::QuantizedWeights& weights = *parameters.weights[n];
  const ir::Node& node = network.nodes[n];
  const bool has_steps = weights.codebook.empty() && weights.params.granularity != numeric::Granularity::group && weights.bias_bits == numeric::kWholeBias &&
                         std::ranges::all_of(weights.params.affine, [](const numeric::Affine& a) { return a.zero_point == 0; });
  if (!has_steps)
    throw UnsupportedError(ir::describe(network, node), "its weights cannot be trained: expected symmetric ones by tensor or channel, on a uniform grid");
  std::vector<float> scales;
  for (const numeric::Affine& affine : weights.params.affine) scales.push_back(affine.scale);
  const torch::Tensor w = view_as_torch(*network.constant(node.inputs[1]), "weights").clone();
  const torch::Tensor q = torch::tensor(numeric::to_int32(weights.q)).reshape(w.sizes()).to(at::kFloat);
  auto layer = std::make_unique<Layer>(Layer{.name = network.value(node.inputs[1]).name, .axis = scales.size() == 1 ? -1 : weights.params.axis});
  layer->weights = quantizer.weights({w, q, scales, layer->axis, bounds_of(weights.params.format), weights.is_binary});
  const std::span<const float> bias = quant::float_bias(network, node);
  layer->x = activations_[static_cast<std::size_t>(node.inputs[0])];
  if (!bias.empty() && layer->x && !weights.bias.empty()) {
    const torch::Tensor b = corrected_bias(weights, parameters.activations[static_cast<std::size_t>(node.inputs[0])]->affine.scale);
    layer->bias_unit = power_of_two_above(b.abs().max().item<float>());
    layer->b = b / layer->bias_unit;
    layer->b.requires_grad_();
  }
  return layer;
}

void FakeQuantized::begin() {
  for (std::size_t id : classes_) activations_[id]->begin(run_.has_value());
  for (const auto& layer : layers_)
    if (layer) layer->steps = is_by_batch(*layer) ? layer->normalization->first_steps() : layer->steps_now();
}

bool FakeQuantized::is_by_batch(const Layer& layer) const { return statistics_ != Statistics::running && layer.normalization.has_value(); }

torch::Tensor FakeQuantized::operand(std::size_t node, std::size_t input, const torch::Tensor& given) {
  const Layer* layer = layers_[node].get();
  if (layer == nullptr || input == 0 || input > 2) return given;
  if (input == 1) {
    WeightRun run = run_.value_or(WeightRun{});
    run.seed += node;
    return layer->weights->weights(layer->steps, run);
  }
  if (!layer->b.defined()) return given;
  if (is_by_batch(*layer)) return at::zeros_like(layer->b);
  const torch::Tensor b = layer->bias();
  const torch::Tensor step = (layer->x->step() * layer->steps).detach();
  return b + ((b / step).round() * step - b).detach();  // straight through
}

torch::Tensor FakeQuantized::result(ir::ValueId id, const torch::Tensor& computed) {
  const auto& activation = activations_[static_cast<std::size_t>(id)];
  const torch::Tensor y = normalized(normalized_[static_cast<std::size_t>(id)], computed);
  return activation ? activation->forward(y) : y;
}

torch::Tensor FakeQuantized::normalized(Layer* layer, const torch::Tensor& computed) {
  if (layer == nullptr || !layer->normalization) return computed;
  if (measures_) layer->normalization->measure(computed, layer->own_bias());
  if (!is_by_batch(*layer)) return computed;
  return layer->normalization->by_batch(computed, layer->weights->steps(), layer->own_bias(), layer->x->step().detach(), statistics_ == Statistics::of_batch);
}

std::vector<NamedTensor> FakeQuantized::tensors() const {
  std::vector<NamedTensor> all;
  const auto add = [&](const std::string& name, const std::vector<NamedTensor>& tensors) {
    for (const NamedTensor& each : tensors) all.push_back({name + "/" + each.name, each.tensor, each.role});
  };
  for (std::size_t id : classes_) add(names_[id], activations_[id]->tensors());
  for (const auto& layer : layers_) {
    if (!layer) continue;
    add(layer->name, layer->weights->tensors());
    if (layer->b.defined()) all.push_back({layer->name + "/bias", layer->b, Role::vector});
    if (layer->normalization) add(layer->name, layer->normalization->tensors());
  }
  return all;
}

torch::Tensor FakeQuantized::penalty() const {
  torch::Tensor sum;
  for (std::size_t id : classes_)
    if (const torch::Tensor more = activations_[id]->penalty(); more.defined()) sum = sum.defined() ? sum + more : more;
  return sum;
}

void FakeQuantized::freeze_oscillating(double share) {
  for (const auto& layer : layers_)
    if (layer) layer->weights->freeze_oscillating(share);
}

void FakeQuantized::write_to(ir::Graph& network, quant::Parameters& parameters) const {
  const torch::NoGradGuard guard;
  for (std::size_t id = 0; id < activations_.size(); ++id)
    if (activations_[id]) parameters.activations[id]->affine = activations_[id]->affine();
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    if (!layers_[n]) continue;
    const Layer& layer = *layers_[n];
    const ir::Node& node = network.nodes[n];
    const torch::Tensor steps = layer.steps_now();
    const torch::Tensor w = layer.weights->in_steps();
    network.value(node.inputs[1]).constant = from_torch(w * along(steps, layer.axis, w.dim()));
    quant::QuantizedWeights& weights = *parameters.weights[n];
    const Tensor q = from_torch(layer.weights->integers());
    std::vector<std::int32_t> integers(q.data<float>().begin(), q.data<float>().end());
    weights.q = numeric::from_int32(weights.q.shape(), integers, weights.q.dtype());
    for (std::size_t c = 0; c < weights.params.affine.size(); ++c) weights.params.affine[c].scale = steps[static_cast<std::int64_t>(c)].item<float>();
    if (!layer.b.defined()) continue;
    const Tensor bias = from_torch(layer.bias());
    network.value(node.inputs[2]).constant = Tensor::from<float>(network.constant(node.inputs[2])->shape(), bias.data<float>());
    write_bias(weights, bias.data<float>(), parameters.activations[static_cast<std::size_t>(node.inputs[0])]->affine.scale, ir::describe(network, node));
  }
}

bool can_normalize(const ir::Graph& network, const ir::Node& node) {
  const bool is_layer = std::holds_alternative<ir::Conv>(node.op) || std::holds_alternative<ir::Gemm>(node.op);
  return is_layer && !quant::float_bias(network, node).empty() && node.outputs.at(0) != logits_of(network);
}

}  // namespace halftone::qat
