#include "halftone/analysis/matched_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ptq/float_network.h"
#include "halftone/passes/pass.h"
#include "halftone/lower/constants.h"
#include "halftone/lower/lower.h"
#include "halftone/quant/plan.h"

namespace halftone::analysis {
namespace {

constexpr std::string_view kQuantized = "_quantized";

[[noreturn]] void refuse(const std::string& what, const std::string& got, const std::string& expected,
                         Remedy remedy = Remedy::none) {
  throw InputError("analyze", fmt::format("{}, got {}, expected {}", what, got, expected), remedy);
}

void match_ends(const ir::Graph& real, const std::vector<ir::ValueId>& own, const ir::Graph& quantized,
                const std::vector<ir::ValueId>& others, const char* what) {
  if (own.size() != others.size())
    refuse(fmt::format("number of {}s of the quantized model", what), std::to_string(others.size()),
           fmt::format("{} as the float model has", own.size()));
  for (std::size_t i = 0; i < own.size(); ++i) {
    const ir::Value& x = real.value(own[i]);
    const ir::Value& y = quantized.value(others[i]);
    if (x.name != y.name || x.shape != y.shape)
      refuse(fmt::format("{} {} of the quantized model", what, i),
             fmt::format("'{}' {}", y.name, to_string(y.shape)),
             fmt::format("'{}' {} as the float model has", x.name, to_string(x.shape)));
  }
}

// The narrowest format that holds integers of a type: files keep 3 bits in 4, and binary weights in 2.
numeric::IntegerFormat narrowest(const Tensor& integers, const numeric::IntegerFormat& stored) {
  const std::vector<std::int32_t> q = numeric::to_int32(integers);
  if (q.empty()) return stored;
  const auto [lo, hi] = std::ranges::minmax(q);
  numeric::IntegerFormat format = stored;
  for (int bits = 2; bits < stored.bits; ++bits) {
    format = {bits, stored.is_signed, false};
    if (format.qmin() <= lo && hi <= format.qmax()) break;
    format = stored;
  }
  format.narrow = format.is_signed && lo > format.qmin();
  return format;
}

int bits_of(const Tensor& integers, const numeric::IntegerFormat& format) {
  const std::vector<std::int32_t> q = numeric::to_int32(integers);
  const bool binary = std::ranges::all_of(q, [](std::int32_t u) { return u == 1 || u == -1; });
  return binary && !q.empty() ? 1 : format.bits;
}

// The integers of a table that weights were rounded to, ascending; empty when not all are the nearest of those that
// occur, or they are the nearest of the whole grid as well.
std::vector<std::int32_t> table_of(const Tensor& real, const Tensor& integers, const numeric::QuantParams& params) {
  const std::vector<std::int32_t> q = numeric::to_int32(integers);
  std::vector<std::int32_t> entries = q;
  std::ranges::sort(entries);
  entries.erase(std::ranges::unique(entries).begin(), entries.end());
  const std::vector<std::int32_t> index = numeric::affine_index(real.shape(), params);
  const auto w = real.data<float>();
  bool of_grid = true;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const numeric::Affine affine = params.affine[static_cast<std::size_t>(index[i])];
    const double at = static_cast<double>(w[i]) / static_cast<double>(affine.scale) + affine.zero_point;
    const double distance = std::fabs(at - q[i]) - 1e-3;
    const auto above = std::ranges::lower_bound(entries, at, {}, [](std::int32_t entry) { return double(entry); });
    if (above != entries.end() && *above - at < distance) return {};
    if (above != entries.begin() && at - *std::prev(above) < distance) return {};
    of_grid = of_grid && std::fabs(std::clamp<double>(at, params.format.qmin(), params.format.qmax()) - q[i]) < 0.501;
  }
  return of_grid ? std::vector<std::int32_t>{} : entries;
}

void expect_pairs(const ir::Graph& quantized) {
  for (const ir::Node& node : quantized.nodes) {
    const std::string_view op = ir::name_of(node.op);
    if (op.starts_with("QLinear") || op == "QGemm" || op == "Quant" || op.ends_with("Integer"))
      throw UnsupportedError("analyze",
                             fmt::format("{} in the quantized model, expected pairs of QuantizeLinear "
                                         "and DequantizeLinear",
                                         ir::describe(quantized, node)),
                             Remedy::write_pairs);
  }
}

std::ptrdiff_t count_biases(const ir::Graph& graph) {
  return std::ranges::count_if(graph.nodes, [](const ir::Node& node) {
    return ir::is_linear(node.op) && node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue;
  });
}

// Correcting biases gives them to layers that had none.
ir::Graph with_biases_of(ir::Graph real, const ir::Graph& quantized) {
  return count_biases(quantized) > count_biases(real) ? passes::give_biases(std::move(real)) : real;
}

class Matching {
 public:
  Matching(const ir::Graph& real, const ir::Graph& quantized)
      : out_{.real = with_biases_of(passes::simplify(real), quantized), .quantized = quantized},
        plan_(quant::plan(out_.real)),
        uses_(ir::use_counts(out_.real)),
        consumers_(ir::consumers(out_.real)),
        producers_(ir::producers(out_.quantized)) {}

  MatchedModels run() {
    expect_pairs(out_.quantized);
    match_changes();
    match_ends(out_.real, out_.real.inputs, out_.quantized, out_.quantized.inputs, "input");
    match_ends(out_.real, out_.real.outputs, out_.quantized, out_.quantized.outputs, "output");
    match_nodes();
    for (const ir::Node& node : out_.quantized.nodes)
      if (std::holds_alternative<ir::QuantizeLinear>(node.op)) match_activation(node);
    for (std::size_t n = 0; n < out_.real.nodes.size(); ++n)
      if (plan_.role[n] == quant::Role::linear) match_layer(n);
    if (out_.layers.empty())
      refuse("quantized model", "no linear layer with integer weights",
             "a file that halftone quantize wrote");
    return std::move(out_);
  }

 private:
  // Scales that moved between layers would be taken for errors.
  void match_changes() const {
    const auto changes = [](const ir::Graph& graph) {
      const auto found = graph.metadata.find(ptq::kChangedKey);
      return found == graph.metadata.end() ? std::string("no method") : found->second;
    };
    if (changes(out_.real) != changes(out_.quantized))
      refuse("float model", "one changed by " + changes(out_.real),
             fmt::format("the one changed by {} that the quantized one was made of", changes(out_.quantized)),
             Remedy::keep_float_network);
  }

  // Quantizing puts conversions between nodes, and leaves these as they are and in their order.
  void match_nodes() {
    for (const ir::Node& node : out_.quantized.nodes)
      if (!std::holds_alternative<ir::QuantizeLinear>(node.op) &&
          !std::holds_alternative<ir::DequantizeLinear>(node.op))
        partners_.push_back(&node);
    const ir::Nodes& nodes = out_.real.nodes;
    for (std::size_t n = 0; n < nodes.size() && n < partners_.size(); ++n)
      if (partners_[n]->op.index() != nodes[n].op.index() || !is_name_of(*partners_[n], nodes[n]))
        refuse(ir::describe(out_.real, nodes[n]),
               fmt::format("{} in its place in the quantized model",
                           ir::describe(out_.quantized, *partners_[n])),
               "the float model that the quantized one was made of");
    if (partners_.size() != nodes.size())
      refuse("quantized model", fmt::format("{} nodes besides conversions", partners_.size()),
             fmt::format("{} as the float model has", nodes.size()));
  }

  // Files number names that stand twice.
  static bool is_name_of(const ir::Node& own, const ir::Node& real) {
    return own.name == real.name || own.name.starts_with(real.name + "_");
  }

  const ir::Node* producer(ir::ValueId id) const {
    const int n = id == ir::kNoValue ? -1 : producers_[static_cast<std::size_t>(id)];
    return n < 0 ? nullptr : &out_.quantized.nodes[static_cast<std::size_t>(n)];
  }

  // The node that dequantizes integers of the file into this value, or nullptr.
  const ir::Node* dequantizer(ir::ValueId id) const {
    const ir::Node* node = producer(id);
    const bool constant = node != nullptr && std::holds_alternative<ir::DequantizeLinear>(node->op) &&
                          out_.quantized.constant(node->inputs[0]) != nullptr;
    return constant ? node : nullptr;
  }

  Tensor constant(ir::ValueId id) const {
    if (const Tensor* tensor = out_.quantized.constant(id)) return *tensor;
    const ir::Node* node = dequantizer(id);
    if (node == nullptr)
      refuse(fmt::format("'{}'", out_.quantized.value(id).name), "a computed value", "a constant");
    std::vector<const Tensor*> inputs;
    for (ir::ValueId input : node->inputs)
      inputs.push_back(input == ir::kNoValue ? nullptr : out_.quantized.constant(input));
    return ir::evaluate_op(node->op, inputs).at(0);
  }

  // "x" of "x_quantized", or of "x_quantized_1" where the network has a value "x_quantized" itself; else "".
  static std::string name_before(const std::string& integers) {
    const std::size_t at = integers.rfind(kQuantized);
    if (at == std::string::npos) return "";
    const std::string ending = integers.substr(at + kQuantized.size());
    const bool numbered = ending.size() > 1 && ending[0] == '_' && ending.find_first_not_of("0123456789", 1) == std::string::npos;
    return ending.empty() || numbered ? integers.substr(0, at) : "";
  }

  void match_activation(const ir::Node& node) {
    const ir::Value& integers = out_.quantized.value(node.outputs[0]);
    const std::string name = name_before(integers.name);
    const auto value = out_.real.find(name);
    if (!value)
      refuse(fmt::format("quantized value '{}'", integers.name), "no value of that name in the float model",
             "the float model that the quantized one was made of");
    MatchedActivation activation{.name = name, .value = *value};
    const auto& quantize = std::get<ir::QuantizeLinear>(node.op);
    activation.params = lower::params_of(out_.quantized, node);
    activation.rounding = quantize.rounding;
    if (activation.params.granularity != numeric::Granularity::tensor)
      throw UnsupportedError(ir::describe(out_.quantized, node),
                             "quantized along an axis, expected per tensor");
    for (const ir::Node& reader : out_.quantized.nodes)
      if (std::holds_alternative<ir::DequantizeLinear>(reader.op) && reader.inputs[0] == node.outputs[0])
        activation.simulated = reader.outputs[0];
    if (activation.simulated == ir::kNoValue)
      refuse(fmt::format("quantized value '{}'", integers.name), "no Dequantize behind it",
             "a file that halftone quantize wrote");
    if (out_.real.value(*value).shape != integers.shape)
      refuse(fmt::format("value '{}' of the quantized model", name), to_string(integers.shape),
             to_string(out_.real.value(*value).shape));
    out_.activations.push_back(std::move(activation));
  }

  std::optional<std::size_t> activation_of(ir::ValueId id, ir::ValueId MatchedActivation::*place) const {
    for (std::size_t i = 0; i < out_.activations.size(); ++i)
      if (out_.activations[i].*place == id) return i;
    return std::nullopt;
  }

  // The layer's result as it is quantized: behind a ReLU or Clip that nothing else comes before.
  std::optional<std::size_t> output_of(ir::ValueId id) const {
    auto found = activation_of(id, &MatchedActivation::value);
    while (!found && uses_[static_cast<std::size_t>(id)] == 1) {
      const std::vector<int>& readers = consumers_[static_cast<std::size_t>(id)];
      if (readers.empty() || plan_.role[static_cast<std::size_t>(readers[0])] != quant::Role::fused) break;
      id = out_.real.nodes[static_cast<std::size_t>(readers[0])].outputs[0];
      found = activation_of(id, &MatchedActivation::value);
    }
    return found;
  }

  void take_weights(MatchedLayer& layer, const ir::Node& dequantize, ir::ValueId id) const {
    layer.integers = *out_.quantized.constant(dequantize.inputs[0]);
    layer.params = lower::params_of(out_.quantized, dequantize);
    layer.params.format = narrowest(layer.integers, layer.params.format);
    layer.bits = bits_of(layer.integers, layer.params.format);
    layer.weights = constant(id);
  }

  void match_layer(std::size_t n) {
    const ir::Node& real = out_.real.nodes[n];
    const ir::Node& own = *partners_[n];
    const std::string where = ir::describe(out_.real, real);
    if (own.op != real.op || own.inputs.size() != real.inputs.size())
      refuse(where, "other attributes or inputs in the quantized model", "the same layer");
    const ir::Node* weights = dequantizer(own.inputs[1]);
    if (weights == nullptr) return;  // stays float
    MatchedLayer layer;
    layer.name = real.name;
    layer.node = n;
    layer.computed = own.outputs[0];
    take_weights(layer, *weights, own.inputs[1]);
    expect_like(where, "weights", layer.weights, real.inputs[1]);
    expect_rounded(where, layer.weights, *out_.real.constant(real.inputs[1]));
    if (const auto table = table_of(*out_.real.constant(real.inputs[1]), layer.integers, layer.params); !table.empty()) {
      layer.codebook = layer.bits > 1;
      layer.bits = std::max(1, static_cast<int>(std::bit_width(table.size() - 1)));
    }
    if (real.inputs.size() > 2 && real.inputs[2] != ir::kNoValue) {
      Tensor bias = constant(own.inputs[2]);
      const Shape& shape = out_.real.value(real.inputs[2]).shape;
      if (bias.size() == element_count(shape)) bias = bias.reshaped(shape);
      expect_like(where, "bias", bias, real.inputs[2]);
      layer.bias = std::move(bias);
    }
    layer.input = activation_of(own.inputs[0], &MatchedActivation::simulated);
    layer.output = output_of(real.outputs[0]);
    out_.layers.push_back(std::move(layer));
  }

  void expect_like(const std::string& where, const char* what, const Tensor& own, ir::ValueId real) const {
    const Shape& shape = out_.real.value(real).shape;
    if (own.shape() != shape)
      refuse(fmt::format("{}: {} of the quantized model", where, what), to_string(own.shape()),
             to_string(shape));
  }

  static void expect_rounded(const std::string& where, const Tensor& own, const Tensor& real) {
    const auto w_hat = own.data<float>();
    const auto w = real.data<float>();
    double agreed = 0.0;
    double all = 0.0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      const double product = double{w_hat[i]} * w[i];
      agreed += product;
      all += std::fabs(product);
    }
    if (agreed < 0.5 * all)
      refuse(where, "integers in the quantized model that are not its weights rounded",
             "the float model that the quantized one was made of");
  }

  MatchedModels out_;
  quant::Plan plan_;
  std::vector<int> uses_;
  std::vector<std::vector<int>> consumers_;
  std::vector<int> producers_;
  std::vector<const ir::Node*> partners_;  // by node of the float graph
};

}  // namespace

MatchedModels match(const ir::Graph& real, const ir::Graph& quantized) {
  if (lower::is_quantized(real)) refuse("float model", "a quantized one", "no QuantizeLinear nodes");
  return Matching(real, quantized).run();
}

}  // namespace halftone::analysis
