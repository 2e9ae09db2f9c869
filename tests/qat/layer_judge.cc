#include "tests/qat/layer_judge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <random>
#include <set>

#include "halftone/float_engine/executor.h"
#include "halftone/qat/fake_quantized.h"
#include "halftone/qat/learner.h"
#include "halftone/qat/torch_ops.h"
#include "halftone/qat/torch_threads.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/quant/bits.h"

namespace halftone::qat {
namespace {

// How far the two may be apart, in steps of y, before each rounds half to even. r is the real number that both mean, k the integers less
// zero points, u = 2^-24, γ(c) = c·u/(1 − c·u). Nothing here is subnormal.
//
// Training, in float32. A sum of K products and a bias is fl(fl(Σ x·w + b)/s_y), x = fl(s_x·k_x), w = fl(s_w·k_w). In any order of summation
// a term passes through at most K additions and one multiplication (Higham, "Accuracy and Stability of Numerical Algorithms", 2002,
// sections 3.1 and 4.2); x, w and the division by s_y add a rounding each: K + 4. b passes through no more than K + 16, and
//   |float − r/s_y| <= γ(K + 16)·(Σ|x·w| + |b|)/s_y,
// as long as libtorch adds products up, and transforms none (Winograd). b is q_b, made a float, times s_x, times s_w (3 roundings);
// divided by fl(s_x·s_w) (2); made whole, which gives q_b while |q_b| <= 2^20, 5 roundings of which are less than half, and otherwise
// changes 2^-21 of it at most (8); times fl(s_x·s_w) (2). The difference that is then added to b and gives this number is exact, as both
// lie within a factor of 2 (Sterbenz). K additions and the division follow.
//   A sum of two values: x_a, x_b, the addition, the division: γ(3)·(|x_a| + |x_b|)/s_y.
//   A mean of n: x, n − 1 additions, the division by n, or the product with fl(1/n), and that by s_y: γ(n + 3)·Σ|x|/(n·s_y).
//   A function of one variable: x and the division, γ(2)·|y|/s_y, where it only clips; tanh, whose relative change is no larger than that
//   of x, adds the unit in the last place by which it may be wrong, which is 2u: γ(4).
//
// The integers are rounded from k·m·2^-shift, m within half of M·2^shift and no less than 2^30 (docs/arithmetic.md section 6, B = 32):
// |integers − r/s_y| <= 2^-31·|r|/s_y, and for a sum of two values, whose shift is that of the larger scale,
// 2^-31·max(s_a, s_b)·(|k_a| + |k_b|)/s_y. Tables are computed in double.
//
// Where the two round differently a tie lies between them, and so no farther from r/s_y than both bounds together; the bounds of the
// format, and those of a ReLU or Clip, are the same float32 numbers in both and applied by functions that never fall. r itself is computed
// in double here, by K + 20 roundings of 2^-53 at most: less than one more of u.
struct Expected {
  torch::Tensor real;       // r
  torch::Tensor magnitude;  // by which γ is multiplied
  torch::Tensor mantissa;   // by which kMantissa is
  double roundings = 0;     // c, with the one of r
};

double gamma(double roundings) {
  constexpr double kUnit = 0x1p-24;
  return roundings * kUnit / (1.0 - roundings * kUnit);
}

constexpr double kMantissa = 0x1.01p-31;  // with the roundings of M in double

torch::Tensor as_double(const Tensor& integers) {
  return torch::tensor(numeric::to_int32(integers)).reshape(integers.shape()).to(at::kDouble);
}

torch::Tensor scales_of(const quant::QuantizedWeights& weights) {
  std::vector<double> scales;
  for (const numeric::Affine& affine : weights.params.affine) scales.push_back(static_cast<double>(affine.scale));
  std::vector<std::int64_t> shape(weights.q.rank(), 1);
  if (scales.size() > 1) shape[static_cast<std::size_t>(weights.params.axis)] = std::ssize(scales);
  return torch::tensor(scales, at::kDouble).reshape(shape);
}

template <typename... Ops>
bool is_one_of(const ir::Op& op) {
  return (std::holds_alternative<Ops>(op) || ...);
}

bool is_bound(const ir::Op& op) { return is_one_of<ir::Relu, ir::Clip>(op); }

torch::Tensor computed(const ir::Op& op, TorchInputs inputs) {
  return std::visit(
      [&]<typename Op>(const Op& known) -> torch::Tensor {
        if constexpr (HasTorchForm<Op>) return torch_form(known, inputs);
        throw std::logic_error("an op without a torch form");
      },
      op);
}

bool holds_anywhere(const torch::Tensor& flags) { return flags.any().item<bool>(); }
std::int64_t count_of(const torch::Tensor& flags) { return flags.sum().item<std::int64_t>(); }

// Hands on the integers' values, so that each layer is judged from its own exact input.
class Judge : public Passage {
 public:
  Judge(const ptq::Result& made, FakeQuantized& quantized, const Tensor& rows)
      : parameters_(made.parameters),
        network_(made.network),
        quantized_(quantized),
        producers_(ir::producers(network_)),
        consumers_(ir::consumers(network_)),
        k_(network_.values.size()) {
    const qgraph::QuantizedGraph& integers = made.made.integers;
    for (const qgraph::Value& value : integers.values)
      if (value.grid) grids_[value.name] = *value.grid;
    for (const qgraph::Node& node : integers.nodes) {
      const qgraph::Linear* linear = qgraph::linear_of(node.op);
      expect(linear == nullptr || !linear->wide, node.name, "its accumulator is beyond 32 bits, of which kMantissa is");
    }
    qgraph::Interpreter(integers).run(std::span(&rows, 1), [&](std::string_view name, Tensor& value) {
      if (grids_.contains(std::string(name))) integers_[std::string(name)] = value;
    });
  }

  void begin() override { quantized_.begin(); }
  torch::Tensor operand(std::size_t node, std::size_t input, const torch::Tensor& given) override { return quantized_.operand(node, input, given); }
  torch::Tensor result(ir::ValueId id, const torch::Tensor& given) override {
    const torch::Tensor seen = quantized_.result(id, given);
    const std::string& name = network_.value(id).name;
    if (!has_integers(id)) {
      (is_fused(id) ? counts_.fused : counts_.stays_float).push_back(name);
      return seen;
    }
    const auto found = integers_.find(name + "_quantized");
    if (!expect(found != integers_.end(), name, "the integers do not have it")) return seen;
    const quant::ActivationParams& params = params_of(id);
    expect(grids_[found->first] == numeric::Grid{params.format, params.affine}, name, "the integers have another scale");
    k_of(id) = as_double(found->second) - params.affine.zero_point;
    const torch::Tensor theirs = torch::empty_like(seen).copy_(k_of(id).to(at::kFloat) * params.affine.scale);
    compare(id, seen.detach(), theirs);
    return theirs;
  }

  LayerCounts counts() const {
    LayerCounts counts = counts_;
    for (std::size_t n = 0; n < network_.nodes.size(); ++n)
      if (parameters_.weights[n] && !compared_.contains(n)) counts.faults.push_back(ir::describe(network_, network_.nodes[n]) + ": not compared");
    return counts;
  }

 private:
  bool expect(bool holds, const std::string& where, std::string_view otherwise) {
    if (!holds) counts_.faults.push_back(fmt::format("{}: {}", where, otherwise));
    return holds;
  }

  bool has_integers(ir::ValueId id) const { return parameters_.activations[static_cast<std::size_t>(id)].has_value(); }
  const quant::ActivationParams& params_of(ir::ValueId id) const { return *parameters_.activations[static_cast<std::size_t>(id)]; }
  double scale(ir::ValueId id) const { return static_cast<double>(params_of(id).affine.scale); }
  torch::Tensor& k_of(ir::ValueId id) { return k_[static_cast<std::size_t>(id)]; }
  // The real numbers that the integers stand for, exact in double.
  torch::Tensor real(ir::ValueId id) { return k_of(id) * scale(id); }

  const ir::Node* producer(ir::ValueId id) const {
    const int n = producers_[static_cast<std::size_t>(id)];
    return n < 0 ? nullptr : &network_.nodes[static_cast<std::size_t>(n)];
  }
  // Whether a ReLU or Clip alone reads it, at the end of which there are integers.
  bool is_fused(ir::ValueId id) const {
    const std::vector<int>& readers = consumers_[static_cast<std::size_t>(id)];
    if (readers.size() != 1) return false;
    const ir::Node& reader = network_.nodes[static_cast<std::size_t>(readers[0])];
    return is_bound(reader.op) && (has_integers(reader.outputs[0]) || is_fused(reader.outputs[0]));
  }
  // The node that computes a value, before those that are fused behind it; nullptr of the network's input.
  const ir::Node* origin(ir::ValueId id) const {
    const ir::Node* node = producer(id);
    while (node != nullptr && is_bound(node->op) && !has_integers(node->inputs[0])) node = producer(node->inputs[0]);
    return node;
  }

  void compare(ir::ValueId id, const torch::Tensor& seen, const torch::Tensor& theirs) {
    const std::string& name = network_.value(id).name;
    const torch::Tensor differs = seen.ne(theirs);
    ++counts_.values;
    counts_.elements += seen.numel();
    const std::optional<Expected> expected = expected_of(id);
    if (!expected) {
      expect(!holds_anywhere(differs), name, fmt::format("{} elements differ, expected none", count_of(differs)));
      return;
    }
    const double s = scale(id);
    const torch::Tensor real = expected->real / s;
    const torch::Tensor bound = expected->magnitude * (gamma(expected->roundings) / s) + expected->mantissa * (kMantissa / s);
    const torch::Tensor near = (real - real.floor() - 0.5).abs().le(bound);
    const torch::Tensor steps = (seen.to(at::kDouble) / s).round();
    const torch::Tensor far = differs.logical_and(near.logical_not());
    expect(at::equal(steps.to(at::kFloat) * params_of(id).affine.scale, seen), name, "training has steps of another length");
    expect(!holds_anywhere((steps - k_of(id)).abs().gt(1)), name, "more than a step apart");
    expect(!holds_anywhere(far), name, fmt::format("{} elements differ and are no ties", count_of(far)));
    expect(!holds_anywhere((within_bounds(id, real) - k_of(id)).abs().gt(bound + 0.5)), name, "the integers are not the nearest to what they mean");
    counts_.near += count_of(near);
    counts_.different += count_of(differs);
  }

  // Steps within the bounds of what is fused, and those of the format.
  torch::Tensor within_bounds(ir::ValueId id, const torch::Tensor& steps) const {
    const auto& [format, affine] = params_of(id);
    torch::Tensor within = steps;
    std::vector<const ir::Node*> fused;
    for (const ir::Node* node = producer(id); node != nullptr && is_bound(node->op); node = producer(node->inputs[0])) {
      fused.push_back(node);
      if (has_integers(node->inputs[0])) break;
    }
    for (auto node = fused.rbegin(); node != fused.rend(); ++node) {
      const auto* clip = std::get_if<ir::Clip>(&(*node)->op);
      within = clip == nullptr ? within.relu() : within.clamp(static_cast<double>(clip->lo) / scale(id), static_cast<double>(clip->hi) / scale(id));
    }
    return within.clamp(format.qmin() - affine.zero_point, format.qmax() - affine.zero_point);
  }

  // Nothing where both do the same: the network's input, one float32 division in both, and what only moves elements.
  std::optional<Expected> expected_of(ir::ValueId id) {
    const ir::Node* node = origin(id);
    if (node == nullptr) return std::nullopt;
    const std::string where = ir::describe(network_, *node);
    if (!expect(has_integers(node->inputs[0]), where, "its input is no integers")) return std::nullopt;
    const auto n = static_cast<std::size_t>(producers_[static_cast<std::size_t>(node->outputs[0])]);
    if (parameters_.weights[n]) return linear(*node, n);
    if (is_one_of<ir::MaxPool, ir::Flatten, ir::Reshape, ir::Identity>(node->op)) {
      expect(scale(id) == scale(node->inputs[0]), where, "it moves elements to another scale");
      return std::nullopt;
    }
    if (is_one_of<ir::Add>(node->op) && has_integers(node->inputs[1])) return sum(*node);
    if (is_one_of<ir::GlobalAveragePool, ir::AveragePool>(node->op)) return mean(*node);
    if (is_bound(node->op) || is_one_of<ir::Tanh>(node->op)) return function(*node);
    expect(false, where, "there is no bound for it");
    return std::nullopt;
  }

  Expected linear(const ir::Node& node, std::size_t n) {
    const quant::QuantizedWeights& weights = *parameters_.weights[n];
    const torch::Tensor scales = scales_of(weights);
    std::vector<torch::Tensor> in{real(node.inputs[0]), as_double(weights.q) * scales};
    if (!weights.bias.empty()) in.push_back(torch::tensor(weights.bias).to(at::kDouble) * scales.reshape({-1}) * scale(node.inputs[0]));
    expect(in.size() == node.inputs.size(), ir::describe(network_, node), "its bias is no integers");
    const torch::Tensor y = computed(node.op, in);
    for (torch::Tensor& each : in) each = each.abs();
    const std::int64_t channels = is_one_of<ir::Conv>(node.op) ? y.size(1) : y.size(-1);
    compared_.insert(n);
    return {y, computed(node.op, in), y.abs(), static_cast<double>(in[1].numel() / channels) + 17.0};
  }

  Expected sum(const ir::Node& node) {
    const ir::ValueId a = node.inputs[0];
    const ir::ValueId b = node.inputs[1];
    return {real(a) + real(b), real(a).abs() + real(b).abs(), (k_of(a).abs() + k_of(b).abs()) * std::max(scale(a), scale(b)), 4.0};
  }

  Expected mean(const ir::Node& node) {
    const torch::Tensor x[] = {real(node.inputs[0])};
    const torch::Tensor magnitudes[] = {x[0].abs()};
    const torch::Tensor y = computed(node.op, x);
    const auto* pool = std::get_if<ir::AveragePool>(&node.op);
    const std::int64_t window = pool == nullptr ? x[0].numel() / y.numel() : product(pool->window.kernel, 0, pool->window.kernel.size());
    return {y, computed(node.op, magnitudes), y.abs(), static_cast<double>(window) + 4.0};
  }

  Expected function(const ir::Node& node) {
    const torch::Tensor x[] = {real(node.inputs[0])};
    const torch::Tensor y = computed(node.op, x);
    return {y, y.abs(), at::zeros_like(y), is_one_of<ir::Tanh>(node.op) ? 5.0 : 3.0};
  }

  const quant::Parameters& parameters_;
  const ir::Graph& network_;
  FakeQuantized& quantized_;
  std::vector<int> producers_;
  std::vector<std::vector<int>> consumers_;
  std::map<std::string, numeric::Grid> grids_;  // by the names that the integers have
  std::map<std::string, Tensor> integers_;
  std::vector<torch::Tensor> k_;    // by value: integers less the zero point, in double
  std::set<std::size_t> compared_;  // linear nodes
  LayerCounts counts_;
};

quant::Recipe recipe_of_finetuning(const std::string& bits) {
  quant::Recipe recipe = quant::recipe_for(bits);
  if (recipe.weights.format.bits == 2) recipe.weights.format.narrow = false;
  if (recipe.activations.format.bits >= 8) return recipe;
  recipe.sum_bits = 8;
  recipe.tensors.clear();
  quant::set_output_bits(recipe, 16);
  return recipe;
}

}  // namespace

ptq::Result quantized_for_finetuning(const ir::Graph& model, const std::string& bits, const Tensor& rows) {
  const calibration::Runs runs{.samples = calibration::source_of(rows), .options = {}, .make_executor = float_engine::make_executor};
  return ptq::quantize({.model = model, .recipe = recipe_of_finetuning(bits), .runs = [&](auto...) { return runs; }});
}

LayerCounts compare_layers(const ptq::Result& made, const quant::Parameters& seen, const Tensor& rows) {
  make_deterministic(/*threads=*/1, /*seed=*/1);
  const Ranks alone;
  FakeQuantized quantized(made.network, seen, quantizer("lsq"), alone);
  quantized.learn(WeightRun{});
  Judge judge(made, quantized, rows);
  const Examples examples{rows, {}};
  const torch::Tensor images = Rows(examples).images;  // as training lays them out
  TorchGraph(made.network).run(std::span(&images, 1), &judge);
  return judge.counts();
}

LayerCounts compare_layers(const std::string& name, const std::string& bits, const ir::Graph& model, const Tensor& rows) {
  const ptq::Result made = quantized_for_finetuning(model, bits, rows);
  LayerCounts counts = compare_layers(made, made.parameters, rows);
  fmt::print("{} {}, {} rows: {} values of {} elements compared; {} elements within their bound of a tie, {} of them a step apart\n", name, bits,
             rows.dim(0), counts.values, counts.elements, counts.near, counts.different);
  fmt::print("  without integers of their own: {} fused ({}), {} float ({})\n", counts.fused.size(), fmt::join(counts.fused, ", "), counts.stays_float.size(),
             fmt::join(counts.stays_float, ", "));
  return counts;
}

Tensor noise(Shape shape) {
  Tensor pixels(DType::uint8, std::move(shape));
  std::mt19937_64 random(1);
  for (std::uint8_t& pixel : pixels.mutable_data<std::uint8_t>()) pixel = static_cast<std::uint8_t>(random() >> 56);
  return pixels;
}

}  // namespace halftone::qat
