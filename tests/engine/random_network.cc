#include "tests/engine/random_network.h"

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/lower/lower.h"
#include "halftone/quant/quantize.h"
#include "tests/quant/network.h"

namespace halftone::engine {
namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed * 2654435761U + 1) {}
  std::int64_t integer(std::int64_t lo, std::int64_t hi) {
    return lo + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(hi - lo + 1));
  }
  bool chance(int percent) { return integer(0, 99) < percent; }
  template <typename T>
  T one_of(std::initializer_list<T> choices) {
    return *(choices.begin() + integer(0, static_cast<std::int64_t>(choices.size()) - 1));
  }

 private:
  std::mt19937_64 engine_;
};

class Builder {
 public:
  Builder(Random& random) : random_(random) {}

  ir::Graph build(const Shape& sample) {
    Shape shape = sample;
    shape[0] = kDynamic;
    x_ = graph_.add_input("x", DType::float32, shape);
    for (std::int64_t left = random_.integer(1, 7); left > 0; --left) add_layer();
    graph_.outputs = {x_};
    if (random_.chance(30) && !saved_.empty() && saved_.back() != graph_.inputs[0] && saved_.back() != x_) graph_.outputs.push_back(saved_.back());
    return std::move(graph_);
  }

 private:
  const Shape& shape() const { return graph_.value(x_).shape; }
  std::string name(const char* what) { return std::string(what) + std::to_string(count_++); }
  ir::ValueId constant(Shape shape) {
    const std::string own = name("c");
    return graph_.add_constant(own, ir::random_floats(std::move(shape), static_cast<std::uint64_t>(random_.integer(0, 1 << 20))));
  }
  void add(ir::Op op, std::vector<ir::ValueId> more = {}) {
    more.insert(more.begin(), x_);
    x_ = graph_.add_node(std::move(op), more, name("v"));
  }

  void add_layer() {
    if (random_.chance(35)) saved_.push_back(x_);
    if (shape().size() == 4) {
      add_plane_layer();
    } else {
      add_row_layer();
    }
    if (random_.chance(30)) add(random_.chance(70) ? ir::Op(ir::Relu{}) : ir::Op(ir::Clip{.lo = -1.0F, .hi = 2.5F}));
  }

  ir::Window window() {
    ir::Window w;
    for (int d = 0; d < 2; ++d) {
      const std::int64_t size = shape()[static_cast<std::size_t>(2 + d)];
      w.kernel.push_back(random_.integer(1, std::min<std::int64_t>(size, 4)));
      w.strides.push_back(random_.integer(1, 2));
      w.dilations.push_back(w.kernel.back() * 2 - 1 <= size ? random_.integer(1, 2) : 1);
    }
    for (int d = 0; d < 4; ++d) w.pads.push_back(random_.integer(0, w.kernel[static_cast<std::size_t>(d % 2)] - 1));
    return w;
  }

  void add_plane_layer() {
    const std::int64_t channels = shape()[1];
    const std::int64_t kind = random_.integer(0, 15);
    if (kind <= 4) return add_conv();
    if (kind == 5) {
      const std::int64_t groups = channels % 2 == 0 && random_.chance(50) ? 2 : 1;
      return add(ir::ConvTranspose{.window = {.kernel = {2, 3}, .strides = {random_.integer(1, 2), 2}, .pads = {0, 1, 0, 0}}, .groups = groups},
                 {constant({channels, random_.integer(1, 5), 2, 3})});
    }
    if (kind == 6) return add(ir::MaxPool{window()});
    if (kind == 7) {
      ir::AveragePool pool{window()};
      pool.count_include_pad = random_.chance(50);
      return add(pool);
    }
    if (kind == 8) return add(ir::GlobalAveragePool{});
    if (kind == 9) return add_pair();
    if (kind == 10) return add_unary();
    if (kind == 11) return add(random_.chance(50) ? ir::Op(ir::Mul{}) : ir::Op(ir::Add{}), {constant({channels, 1, 1})});
    if (kind == 12) return add(ir::Concat{1}, {x_});
    if (kind == 13) return add(ir::Pad{{0, 0, 1, 0, 0, 1, 2, 1}, ir::PadMode::constant, random_.chance(50) ? 0.0 : 0.5});
    if (kind == 14) return add(ir::Transpose{{0, 2, 3, 1}});
    add(ir::Flatten{});
  }

  void add_conv() {
    if (random_.chance(15)) return add_two_convs();
    if (random_.chance(15)) return add_joined_convs();
    const std::int64_t channels = shape()[1];
    const std::int64_t groups = random_.chance(25) ? channels : channels % 2 == 0 && random_.chance(25) ? 2 : 1;
    const std::int64_t outputs = groups * random_.integer(1, groups > 1 ? 2 : random_.one_of<std::int64_t>({7, 20, 70}));
    ir::Conv conv{.window = window(), .groups = groups};
    std::vector<ir::ValueId> more{constant({outputs, channels / groups, conv.window.kernel[0], conv.window.kernel[1]})};
    if (random_.chance(70)) more.push_back(constant({outputs}));
    add(conv, more);
  }

  // Two or three Convs of one input, joined along channels.
  void add_joined_convs() {
    const ir::ValueId from = x_;
    const std::int64_t channels = shape()[1];
    std::vector<ir::ValueId> parts;
    for (std::int64_t left = random_.integer(2, 3); left > 0; --left) {
      x_ = from;
      const std::int64_t kernel = random_.one_of({1, 3});
      const std::int64_t pad = kernel / 2;
      add(ir::Conv{{.kernel = {kernel, kernel}, .pads = {pad, pad, pad, pad}}}, {constant({random_.integer(1, 20), channels, kernel, kernel})});
      if (random_.chance(50)) add(ir::Relu{});
      parts.push_back(x_);
    }
    x_ = graph_.add_node(ir::Concat{1}, parts, name("v"));
    if (random_.chance(70)) add(ir::Conv{{.kernel = {3, 3}, .pads = {1, 1, 1, 1}}}, {constant({random_.integer(1, 9), shape()[1], 3, 3})});
  }

  // Windows of 3x3 over 16 channels or a multiple: neighbours may share products.
  void add_two_convs() {
    const std::int64_t channels = 16 * random_.integer(1, 3);
    const std::int64_t pad = random_.integer(0, 1);
    add(ir::Conv{{.kernel = {1, 1}}}, {constant({channels, shape()[1], 1, 1})});
    add(ir::Conv{{.kernel = {3, 3}, .pads = {pad, pad, pad, pad}}}, {constant({random_.integer(1, 40), channels, 3, 3})});
  }

  void add_row_layer() {
    const std::int64_t kind = random_.integer(0, 9);
    const std::int64_t width = shape().back();
    if (kind <= 5 && width <= 4096) {
      const std::int64_t outputs = random_.integer(1, random_.one_of<std::int64_t>({5, 40, 140}));
      if (random_.chance(40)) return add(ir::MatMul{}, {constant({width, outputs})});
      if (shape().size() == 2) return add(ir::Gemm{.trans_b = true}, {constant({outputs, width}), constant({outputs})});
    }
    if (kind == 6) return add_pair();
    if (kind == 7) return add_unary();
    if (kind == 8) return add(ir::Concat{-1}, {x_});
    if (kind == 9 && random_.chance(20)) return add(ir::Softmax{});
    add(ir::Neg{});
  }

  void add_pair() {
    for (ir::ValueId other : saved_)
      if (graph_.value(other).shape == shape() && other != x_)
        return add(random_.one_of({ir::Op(ir::Add{}), ir::Op(ir::Sub{}), ir::Op(ir::Mul{}), ir::Op(ir::Max{})}), {other});
    const ir::ValueId before = x_;
    add(ir::Sigmoid{});
    add(random_.chance(50) ? ir::Op(ir::Mul{}) : ir::Op(ir::Add{}), {before});
  }

  void add_unary() {
    add(random_.one_of({ir::Op(ir::Sigmoid{}), ir::Op(ir::Tanh{}), ir::Op(ir::HardSwish{}), ir::Op(ir::Abs{}), ir::Op(ir::LeakyRelu{})}));
  }

  Random& random_;
  ir::Graph graph_;
  ir::ValueId x_ = ir::kNoValue;
  std::vector<ir::ValueId> saved_;
  int count_ = 0;
};

quant::WeightRecipe random_weights(Random& random) {
  quant::WeightRecipe weights;
  weights.format = {static_cast<int>(random.chance(60) ? 8 : random.integer(2, 12)), random.chance(85), random.chance(50)};
  weights.format.narrow = weights.format.narrow && weights.format.is_signed;
  weights.scheme = random.chance(30) || !weights.format.is_signed ? numeric::Scheme::asymmetric : numeric::Scheme::symmetric;
  weights.granularity = random.one_of({numeric::Granularity::tensor, numeric::Granularity::channel, numeric::Granularity::channel, numeric::Granularity::group});
  weights.group_size = weights.granularity == numeric::Granularity::group ? static_cast<int>(random.integer(1, 9)) : 0;
  if (weights.granularity != numeric::Granularity::group && random.chance(15)) {
    weights = {.code = random.one_of({quant::WeightCode::binary, quant::WeightCode::ternary, quant::WeightCode::k_means}), .granularity = weights.granularity};
    weights.format.bits = 4;
  }
  return weights;
}

quant::Recipe random_recipe(Random& random) {
  quant::Recipe recipe;
  recipe.weights = random_weights(random);
  recipe.activations.format = {static_cast<int>(random.chance(70) ? 8 : random.integer(2, 16)), random.chance(50), false};
  recipe.activations.scheme = random.chance(70) || !recipe.activations.format.is_signed ? numeric::Scheme::asymmetric : numeric::Scheme::symmetric;
  recipe.arithmetic.mode = random.one_of({numeric::Arithmetic::fixed, numeric::Arithmetic::fixed, numeric::Arithmetic::shift, numeric::Arithmetic::onnx});
  recipe.arithmetic.mantissa_bits = random.one_of({8, 16, 32, 32});
  if (recipe.arithmetic.mode != numeric::Arithmetic::onnx)
    recipe.arithmetic.rounding = random.one_of({numeric::Rounding::half_even, numeric::Rounding::half_away, numeric::Rounding::half_up});
  if (recipe.arithmetic.mode == numeric::Arithmetic::shift) use_powers_of_two(recipe);
  if (recipe.arithmetic.mode == numeric::Arithmetic::onnx && recipe.weights.granularity == numeric::Granularity::group) {
    recipe.weights.granularity = numeric::Granularity::channel;
    recipe.weights.group_size = 0;
  }
  if (random.chance(30)) {
    quant::ActivationRecipe other = recipe.activations;
    other.format.bits = static_cast<int>(other.format.bits > 8 ? 8 : random.integer(9, 16));
    recipe.tensors.push_back({random.one_of({"<input>", "<output>", "<last>"}), other});
  }
  return recipe;
}

}  // namespace

RandomNetwork random_network(std::uint64_t seed) {
  for (std::uint64_t attempt = 0;; ++attempt) {
    Random random(seed * 1000 + attempt);
    try {
      const Shape sample = random.chance(75) ? Shape{1, random.integer(1, 9), random.integer(3, 12), random.integer(3, 12)} : Shape{1, random.integer(1, 100)};
      const ir::Graph real = Builder(random).build(sample);
      const quant::Recipe recipe = random_recipe(random);
      check(recipe);
      return {lower::lower(quant::quantize(real, quant::ranges_of(real, 8), recipe).graph), describe(recipe), sample};
    } catch (const Error&) {  // a window that does not fit, a recipe that does not go together, sums beyond a bound
    }
  }
}

}  // namespace halftone::engine
