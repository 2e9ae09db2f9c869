#include "halftone/qat/fake_quantized.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "halftone/base/error.h"
#include "halftone/qat/quantizers/round_to_steps.h"

namespace halftone::qat {
namespace {

constexpr float kHeld = 0.45F;  // steps from the integer that was chosen, at most, where training begins

// One or more steps: s = s0·e^u.
struct Steps {
  Steps(const std::vector<float>& s0, bool learnt) : first(torch::tensor(s0)), u(torch::zeros({static_cast<std::int64_t>(s0.size())})) {
    u.requires_grad_(learnt);
  }
  torch::Tensor now() const { return u.requires_grad() ? first * u.exp() : first; }

  torch::Tensor first;
  torch::Tensor u;
};

float power_of_two_above(float x) { return x > 0.0F ? std::exp2(std::ceil(std::log2(x))) : 1.0F; }

StepBounds bounds_of(const numeric::IntegerFormat& format, std::int32_t zero_point) {
  return {static_cast<float>(format.qmin() - zero_point), static_cast<float>(format.qmax() - zero_point)};
}

double gradient_scale(std::int64_t elements, const StepBounds& bounds) {
  return 1.0 / std::sqrt(static_cast<double>(elements) * static_cast<double>(std::max(1.0F, bounds.hi)));
}

// w in steps: within `kHeld` of the integers that were chosen, or on the side of a binary one, and inside of the bounds.
torch::Tensor held(const torch::Tensor& w, const torch::Tensor& q, const torch::Tensor& s, const StepBounds& bounds) {
  const torch::Tensor away = (w / s - q).clamp(-kHeld, kHeld);
  return (q + away).clamp(bounds.lo, bounds.hi).contiguous();
}

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
      throw UsageError(where, fmt::format("the bias of channel {} is beyond 2^30 of the steps that were learnt, expected a lower rate of steps", c));
  }
}

// [C] in the shape that broadcasts along `axis`.
torch::Tensor along(const torch::Tensor& values, std::int64_t axis, std::int64_t rank) {
  if (values.numel() == 1) return values.reshape({});
  std::vector<std::int64_t> shape(static_cast<std::size_t>(rank), 1);
  shape[static_cast<std::size_t>(axis)] = values.numel();
  return values.reshape(shape);
}

}  // namespace

struct FakeQuantized::Activation {
  Steps steps;
  StepShape shape;
  torch::Tensor now;  // of this run
};

struct FakeQuantized::Layer {
  Steps steps;
  StepShape shape;
  bool is_binary = false;
  torch::Tensor v;     // weights, the largest that there may be being 1
  float bias_unit = 1.0F;
  torch::Tensor b;     // bias in units; undefined where there is none that becomes integers
  std::shared_ptr<Activation> x;
  torch::Tensor now;

  // In steps, before they are rounded.
  torch::Tensor in_steps() const { return v * shape.bounds.hi; }
  // Rounded; of binary weights to the nearer of −1 and 1.
  torch::Tensor integers() const {
    const torch::Tensor one = torch::ones({1});
    if (!is_binary) return round_to_steps(in_steps(), one, {.bounds = shape.bounds});
    return 2 * round_to_steps((in_steps() + 1) * 0.5F, one, {.bounds = {0, 1}}) - 1;
  }
  torch::Tensor bias() const { return b * bias_unit; }
};

FakeQuantized::FakeQuantized(const ir::Graph& network, const quant::Parameters& parameters, Quantizer quantizer)
    : layers_(network.nodes.size()), activations_(network.values.size()) {
  const bool learnt = quantizer == Quantizer::lsq;
  std::map<ir::ValueId, std::shared_ptr<Activation>> by_class;
  for (std::size_t id = 0; id < network.values.size(); ++id) {
    if (!parameters.activations[id]) continue;
    const auto [format, affine] = *parameters.activations[id];
    std::shared_ptr<Activation>& of_class = by_class[parameters.plan.scale_class[id]];
    if (!of_class) of_class = std::make_shared<Activation>(Activation{Steps({affine.scale}, learnt), {.bounds = bounds_of(format, affine.zero_point)}, {}});
    activations_[id] = of_class;
  }
  for (std::size_t n = 0; n < network.nodes.size(); ++n)
    if (parameters.weights[n]) layers_[n] = layer_of(network, n, parameters, learnt);
}

FakeQuantized::~FakeQuantized() = default;

std::unique_ptr<FakeQuantized::Layer> FakeQuantized::layer_of(const ir::Graph& network, std::size_t n, const quant::Parameters& parameters, bool learnt) const {
  const quant::QuantizedWeights& weights = *parameters.weights[n];
  const ir::Node& node = network.nodes[n];
  const bool has_steps = weights.codebook.empty() && weights.params.granularity != numeric::Granularity::group && weights.bias_bits == numeric::kWholeBias &&
                         std::ranges::all_of(weights.params.affine, [](const numeric::Affine& a) { return a.zero_point == 0; });
  if (!has_steps)
    throw UnsupportedError(ir::describe(network, node), "its weights cannot be trained: expected symmetric ones by tensor or channel, on a uniform grid");
  std::vector<float> scales;
  for (const numeric::Affine& affine : weights.params.affine) scales.push_back(affine.scale);
  const Tensor& given = *network.constant(node.inputs[1]);
  const std::int64_t axis = scales.size() == 1 ? -1 : weights.params.axis;
  auto layer = std::make_unique<Layer>(Layer{Steps(scales, learnt), {.axis = axis, .bounds = bounds_of(weights.params.format, 0)}});
  layer->is_binary = weights.is_binary;
  const auto rank = static_cast<std::int64_t>(given.rank());
  const torch::Tensor w = view_as_torch(given, "weights").clone();
  const torch::Tensor q = torch::tensor(numeric::to_int32(weights.q)).reshape(w.sizes()).to(at::kFloat);
  layer->v = held(w, q, along(layer->steps.first, axis, rank), layer->shape.bounds) / layer->shape.bounds.hi;
  layer->v.requires_grad_();
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
  for (const auto& activation : activations_)
    if (activation) activation->now = torch::Tensor();
  for (const auto& activation : activations_)
    if (activation && !activation->now.defined()) activation->now = activation->steps.now();
  for (const auto& layer : layers_)
    if (layer) layer->now = layer->steps.now();
}

torch::Tensor FakeQuantized::operand(std::size_t node, std::size_t input, const torch::Tensor& given) {
  const Layer* layer = layers_[node].get();
  if (layer == nullptr || input == 0 || input > 2) return given;
  if (input == 1) {
    return layer->integers() * along(layer->now, layer->shape.axis, given.dim());
  }
  if (!layer->b.defined()) return given;
  const torch::Tensor b = layer->bias();
  const torch::Tensor step = (layer->x->now * layer->now).detach();
  return b + ((b / step).round() * step - b).detach();  // straight through
}

torch::Tensor FakeQuantized::result(ir::ValueId id, const torch::Tensor& computed) {
  const auto& activation = activations_[static_cast<std::size_t>(id)];
  if (!activation) return computed;
  StepShape shape = activation->shape;
  shape.gradient_scale = gradient_scale(computed.numel() / std::max<std::int64_t>(1, computed.size(0)), shape.bounds);
  return round_to_steps(computed, activation->now, shape);
}

std::vector<Trained> FakeQuantized::trained() const {
  std::vector<Trained> all;
  const auto add_steps = [&](const Steps& steps) {
    if (steps.u.requires_grad()) all.push_back({steps.u, true});
  };
  for (std::size_t id = 0; id < activations_.size(); ++id) {
    const auto same = [&](const auto& other) { return other == activations_[id]; };
    if (activations_[id] && std::ranges::none_of(activations_.begin(), activations_.begin() + static_cast<std::ptrdiff_t>(id), same))
      add_steps(activations_[id]->steps);
  }
  for (const auto& layer : layers_) {
    if (!layer) continue;
    add_steps(layer->steps);
    all.push_back({layer->v});
    if (layer->b.defined()) all.push_back({layer->b});
  }
  return all;
}

void FakeQuantized::write_to(ir::Graph& network, quant::Parameters& parameters) const {
  const torch::NoGradGuard guard;
  for (std::size_t id = 0; id < activations_.size(); ++id)
    if (activations_[id]) parameters.activations[id]->affine.scale = activations_[id]->steps.now().item<float>();
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    if (!layers_[n]) continue;
    const Layer& layer = *layers_[n];
    const ir::Node& node = network.nodes[n];
    const torch::Tensor steps = layer.steps.now();
    const torch::Tensor v = layer.in_steps();
    network.value(node.inputs[1]).constant = from_torch(v * along(steps, layer.shape.axis, v.dim()));
    quant::QuantizedWeights& weights = *parameters.weights[n];
    const Tensor q = from_torch(layer.integers());
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
