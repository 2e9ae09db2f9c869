#include "halftone/qat/fake_quantized.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "halftone/base/error.h"
#include "halftone/qat/quantizers/steps.h"
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

  torch::Tensor bias() const { return b * bias_unit; }
};

FakeQuantized::FakeQuantized(const ir::Graph& network, const quant::Parameters& parameters, const Quantizer& quantizer, const Ranks& ranks)
    : layers_(network.nodes.size()), activations_(network.values.size()) {
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
    if (layer) layer->steps = layer->weights->steps();
}

torch::Tensor FakeQuantized::operand(std::size_t node, std::size_t input, const torch::Tensor& given) {
  const Layer* layer = layers_[node].get();
  if (layer == nullptr || input == 0 || input > 2) return given;
  if (input == 1) {
    WeightRun run = run_.value_or(WeightRun{});
    run.seed += node;
    return layer->weights->weights(layer->steps, run);
  }
  if (!layer->b.defined()) return given;
  const torch::Tensor b = layer->bias();
  const torch::Tensor step = (layer->x->step() * layer->steps).detach();
  return b + ((b / step).round() * step - b).detach();  // straight through
}

torch::Tensor FakeQuantized::result(ir::ValueId id, const torch::Tensor& computed) {
  const auto& activation = activations_[static_cast<std::size_t>(id)];
  return activation ? activation->forward(computed) : computed;
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
    const torch::Tensor steps = layer.weights->steps();
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

}  // namespace halftone::qat
