#include "tests/oracle/random_case.h"

#include <algorithm>
#include <cmath>

namespace halftone::oracle {
namespace {

using nlohmann::json;
using numeric::Arithmetic;

// A float32 as a double, so that its JSON text is exact.
double exact(double value) { return static_cast<double>(static_cast<float>(value)); }

ActivationCase random_activation(Random& random, bool power_of_two, double size) {
  ActivationCase a;
  a.format.bits = static_cast<int>(random.chance(0.5) ? 8 : random.integer(1, 16));
  a.format.is_signed = random.chance(0.7);
  a.scheme = random.one_of<std::string>({"asymmetric", "asymmetric", "symmetric", "fixed_point"});
  a.power_of_two = power_of_two || random.chance(0.1);
  if (a.scheme == "fixed_point") {
    a.format.is_signed = true;
    a.fraction_length = a.format.bits - 1 - static_cast<int>(std::ceil(std::log2(size))) +
                        static_cast<int>(random.integer(-1, 1));
  } else {
    a.format.narrow = a.format.is_signed && a.format.bits >= 2 && random.chance(0.2);
  }
  const bool positive = random.chance(0.3) || (a.scheme == "symmetric" && !a.format.is_signed);
  a.range = {exact(positive ? 0.0 : -size * random.real(0.2, 1.0)), exact(size * random.real(0.2, 1.0))};
  if (random.chance(0.02)) a.range = {0.0, 0.0};
  if (random.chance(0.03)) a.range.lo = a.range.hi / 2;  // does not contain zero
  return a;
}

Tensor random_input(Random& random, const ActivationCase& a, Shape shape) {
  Tensor x(DType::float32, std::move(shape));
  const numeric::Affine affine = a.affine();
  const double size = std::max({std::fabs(a.range.lo), std::fabs(a.range.hi), 4.0 * affine.scale});
  for (float& v : x.mutable_data<float>()) {
    v = static_cast<float>(random.real(-1.3 * size, 1.3 * size));
    if (random.chance(0.2))
      v = static_cast<float>(affine.scale * (static_cast<double>(random.integer(-20, 20)) + 0.5));  // a tie
    if (random.chance(0.002)) v = random.chance(0.5) ? INFINITY : -INFINITY;
  }
  return x;
}

Tensor random_weights(Random& random, Shape shape) {
  Tensor w(DType::float32, std::move(shape));
  const double size = std::exp2(random.real(-6, 2));
  auto values = w.mutable_data<float>();
  const std::size_t row = values.size() / static_cast<std::size_t>(w.dim(0));
  for (std::size_t c = 0; c * row < values.size(); ++c) {
    const double own = random.chance(0.06) ? 0.0 : random.chance(0.06) ? 1e-9 : random.real(0.1, 1.0);
    for (std::size_t i = c * row; i < (c + 1) * row; ++i)
      values[i] = static_cast<float>(size * own * random.real(-1, 1));
  }
  return w;
}

WeightCase random_weight_format(Random& random, Arithmetic arithmetic, const Tensor& weights) {
  WeightCase w;
  w.kind = random.one_of<std::string>(
      {"affine", "affine", "affine", "fixed_point", "binary", "ternary", "codebook"});
  w.power_of_two = arithmetic == Arithmetic::shift || random.chance(0.1);
  w.format.bits = static_cast<int>(random.chance(0.4) ? 8 : random.integer(1, w.kind == "codebook" ? 5 : 16));
  double largest = 1e-3;
  for (float v : weights.data<float>()) largest = std::max<double>(largest, std::fabs(v));
  if (w.kind == "affine") {
    w.format.is_signed = random.chance(0.8);
    w.scheme = !w.format.is_signed || random.chance(0.3) ? "asymmetric" : "symmetric";
    w.format.narrow = w.format.is_signed && w.format.bits >= 2 && random.chance(0.5);
    w.granularity = random.one_of<std::string>({"tensor", "channel", "group"});
    if (arithmetic == Arithmetic::onnx && w.granularity == "group") w.granularity = "channel";
    if (w.granularity == "group") w.group_size = random.integer(1, 20);
  } else if (w.kind == "fixed_point") {
    w.fraction_length = w.format.bits - 1 - static_cast<int>(std::ceil(std::log2(largest)));
  } else if (w.kind == "codebook") {
    w.format.is_signed = false;
    w.codebook_scale = static_cast<float>(largest / 100.0);
    if (w.power_of_two) w.codebook_scale = numeric::ceil_power_of_two(w.codebook_scale);
    for (int i = 0; i < 1 << std::min(w.format.bits, 5); ++i)
      w.codebook.push_back(static_cast<std::int32_t>(random.integer(-128, 127)));
    w.format.bits = std::min(w.format.bits, 5);
  } else {
    w.format = {2, true, true};
    w.granularity = random.one_of<std::string>({"tensor", "channel"});
  }
  return w;
}

void make_linear_case(Random& random, Case& c) {
  c.x = random_activation(random, c.arithmetic == Arithmetic::shift, std::exp2(random.real(-3, 6)));
  if (c.op == "gemm") {
    const std::int64_t depth = random.one_of<std::int64_t>({1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 63, 64, 65});
    c.input = random_input(random, c.x, {random.integer(1, 6), depth});
    c.weights = random_weights(random, {random.integer(1, 12), depth});
  } else {
    c.groups = random.one_of<std::int64_t>({1, 1, 1, 2, 3});
    const std::int64_t depth = random.integer(1, 3);
    c.kernel = {random.integer(1, 3), random.integer(1, 3)};
    c.strides = {random.integer(1, 2), random.integer(1, 3)};
    c.dilations = {random.integer(1, 2), random.integer(1, 2)};
    c.pads = {random.integer(0, 2), random.integer(0, 2), random.integer(0, 2), random.integer(0, 2)};
    c.input = random_input(
        random, c.x, {random.integer(1, 2), depth * c.groups, random.integer(5, 8), random.integer(5, 8)});
    c.weights = random_weights(random, {c.groups * random.integer(1, 3), depth, c.kernel[0], c.kernel[1]});
  }
  c.w = random_weight_format(random, c.arithmetic, c.weights);
  c.bias_bits = static_cast<int>(random.chance(0.3) ? 0 : random.chance(0.6) ? 32 : random.integer(2, 31));
  if (c.w.granularity == "group" && c.bias_bits != 0) c.bias_bits = 32;
  if (c.bias_bits > 0) {
    c.bias = Tensor(DType::float32, {c.weights.dim(0)});
    const double size = random.chance(0.15) ? 1e7 : 5.0;
    for (float& b : c.bias.mutable_data<float>()) b = static_cast<float>(size * random.real(-1, 1));
  }
  // About what the sums reach, so that outputs spread over their range and some saturate.
  double largest = 1e-3;
  for (float v : c.weights.data<float>()) largest = std::max<double>(largest, std::fabs(v));
  const double terms =
      std::sqrt(static_cast<double>(c.weights.size()) / static_cast<double>(c.weights.dim(0)));
  const double reach = std::max({std::fabs(c.x.range.lo), c.x.range.hi, 1e-3}) * largest * terms;
  c.y = random_activation(random, c.arithmetic == Arithmetic::shift, reach * random.real(0.3, 2.0));
  c.activation = random.one_of<std::string>({"none", "none", "relu", "clip"});
  if (c.activation == "clip") {
    c.clip_lo = static_cast<float>(random.real(-0.5, 0.3) * reach);
    c.clip_hi = c.clip_lo + static_cast<float>(random.real(0.0, 1.0) * reach);
  }
}

void make_pool_case(Random& random, Case& c) {
  c.kernel = {random.integer(1, 4), random.integer(1, 4)};
  c.strides = {random.integer(1, 3), random.integer(1, 3)};
  c.pads = {random.integer(0, c.kernel[0] - 1), random.integer(0, c.kernel[1] - 1),
            random.integer(0, c.kernel[0] - 1), random.integer(0, c.kernel[1] - 1)};
  c.count_include_pad = random.chance(0.5);
  c.input = random_input(
      random, c.x, {random.integer(1, 2), random.integer(1, 3), random.integer(4, 9), random.integer(4, 9)});
}

void make_other_case(Random& random, Case& c) {
  const bool shift = c.arithmetic == Arithmetic::shift;
  const double size = std::exp2(random.real(-4, 6));
  c.x = random_activation(random, shift, size);
  c.y = random_activation(random, shift, size * random.real(0.4, 1.5));
  if (c.op == "average_pool") return make_pool_case(random, c);
  const Shape shape{random.integer(1, 100)};
  if (c.op == "table") {
    c.function = random.one_of<std::string>({"tanh", "sigmoid"});
    c.y = random_activation(random, shift, random.real(0.5, 1.2));
    c.x.format.bits = std::min(c.x.format.bits, 10);
  }
  c.input = random_input(random, c.x, shape);
  if (c.op == "add") {
    c.x2 = random_activation(random, shift, size * random.real(0.1, 4.0));
    c.input2 = random_input(random, c.x2, shape);
  }
}

}  // namespace

numeric::Affine ActivationCase::affine() const {
  if (scheme == "fixed_point") return numeric::fixed_point(fraction_length);
  return numeric::affine_from_range(
      range, format, scheme == "symmetric" ? numeric::Scheme::symmetric : numeric::Scheme::asymmetric,
      power_of_two);
}

json ActivationCase::json() const {
  return {{"bits", format.bits},
          {"signed", format.is_signed},
          {"narrow", format.narrow},
          {"scheme", scheme},
          {"power_of_two", power_of_two},
          {"fraction_length", fraction_length},
          {"lo", range.lo},
          {"hi", range.hi}};
}

json WeightCase::json() const {
  nlohmann::json out{{"kind", kind},
                     {"bits", format.bits},
                     {"signed", format.is_signed},
                     {"narrow", format.narrow},
                     {"scheme", scheme},
                     {"power_of_two", power_of_two},
                     {"granularity", granularity},
                     {"group_size", group_size},
                     {"fraction_length", fraction_length}};
  if (kind == "codebook") {
    out["codebook"] = codebook;
    out["codebook_scale"] = static_cast<double>(codebook_scale);
  }
  return out;
}

json Case::json(std::int64_t id) const {
  nlohmann::json out{{"id", id},
                     {"op", op},
                     {"arithmetic", numeric::name_of(arithmetic)},
                     {"mantissa_bits", mantissa_bits},
                     {"rounding", numeric::name_of(rounding)},
                     {"x", x.json()},
                     {"y", y.json()},
                     {"bias_bits", bias_bits},
                     {"activation", activation}};
  if (op == "add") out["x2"] = x2.json();
  if (is_linear()) out["w"] = w.json();
  if (op == "table") out["function"] = function;
  if (activation == "clip") {
    out["clip_lo"] = static_cast<double>(clip_lo);
    out["clip_hi"] = static_cast<double>(clip_hi);
  }
  if (op == "conv")
    out.update({{"strides", strides}, {"pads", pads}, {"dilations", dilations}, {"groups", groups}});
  if (op == "average_pool")
    out.update({{"strides", strides},
                {"pads", pads},
                {"kernel", kernel},
                {"count_include_pad", count_include_pad ? 1 : 0}});
  return out;
}

Case random_case(Random& random) {
  Case c;
  c.op = random.one_of<std::string>(
      {"gemm", "gemm", "gemm", "conv", "conv", "average_pool", "table", "add", "requantize"});
  c.arithmetic =
      random.one_of<Arithmetic>({Arithmetic::fixed, Arithmetic::fixed, Arithmetic::shift, Arithmetic::onnx});
  c.mantissa_bits = random.one_of<int>({8, 16, 32, 32});
  using R = numeric::Rounding;
  c.rounding = random.one_of<R>({R::half_even, R::half_even, R::half_away, R::half_up, R::floor});
  if (c.is_linear())
    make_linear_case(random, c);
  else
    make_other_case(random, c);
  return c;
}

}  // namespace halftone::oracle
