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

// Weights whose channels along `axis` differ in size; some are dead.
Tensor random_weights(Random& random, Shape shape, std::size_t axis) {
  Tensor w(DType::float32, std::move(shape));
  const double size = std::exp2(random.real(-6, 2));
  std::vector<double> own;
  for (std::int64_t c = 0; c < w.dim(axis); ++c)
    own.push_back(random.chance(0.06) ? 0.0 : random.chance(0.06) ? 1e-9 : random.real(0.1, 1.0));
  const auto row = static_cast<std::size_t>(product(w.shape(), axis + 1, w.rank()));
  std::size_t i = 0;
  for (float& v : w.mutable_data<float>())
    v = static_cast<float>(size * own[i++ / row % own.size()] * random.real(-1, 1));
  return w;
}

WeightCase random_weight_format(Random& random, const Case& c) {
  WeightCase w;
  // A transposed convolution is lowered from the graph's integers, which have neither codebooks nor groups
  // along the reduction.
  w.kind = random.one_of<std::string>(
      {"affine", "affine", "affine", "fixed_point", "binary", "ternary", "codebook"});
  if (c.is_transposed() && w.kind == "codebook") w.kind = "affine";
  w.power_of_two = c.arithmetic == Arithmetic::shift || random.chance(0.1);
  w.format.bits = static_cast<int>(random.chance(0.4) ? 8 : random.integer(1, w.kind == "codebook" ? 5 : 16));
  double largest = 1e-3;
  for (float v : c.weights.data<float>()) largest = std::max<double>(largest, std::fabs(v));
  if (w.kind == "affine") {
    w.format.is_signed = random.chance(0.8);
    w.scheme = !w.format.is_signed || random.chance(0.3) ? "asymmetric" : "symmetric";
    w.format.narrow = w.format.is_signed && w.format.bits >= 2 && random.chance(0.5);
    w.granularity = random.one_of<std::string>({"tensor", "channel", "group"});
    if ((c.arithmetic == Arithmetic::onnx || c.is_transposed()) && w.granularity == "group")
      w.granularity = "channel";
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

std::vector<std::int64_t> several(Random& random, std::size_t count, std::int64_t lo, std::int64_t hi) {
  std::vector<std::int64_t> values(count);
  for (std::int64_t& v : values) v = random.integer(lo, hi);
  return values;
}

Shape joined(Shape front, const std::vector<std::int64_t>& back) {
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

// Spatial dimensions of a layer.
std::size_t random_rank(Random& random) { return random.chance(0.3) ? 1 : 2; }

void make_gemm_tensors(Random& random, Case& c) {
  const std::int64_t depth = random.one_of<std::int64_t>({1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 63, 64, 65});
  c.input = random_input(random, c.x, {random.integer(1, 6), depth});
  c.weights = random_weights(random, {random.integer(1, 12), depth}, 0);
}

// For a transposed convolution pads may exceed the kernel's reach: they then cut off inputs.
void make_conv_tensors(Random& random, Case& c) {
  const std::size_t rank = random_rank(random);
  c.groups = random.one_of<std::int64_t>({1, 1, 1, 2, 3});
  c.kernel = several(random, rank, 1, 3);
  c.strides = several(random, rank, 1, 3);
  c.dilations = several(random, rank, 1, 2);
  c.pads = several(random, 2 * rank, 0, 2);
  if (c.is_transposed())
    for (std::int64_t stride : c.strides) c.output_padding.push_back(random.integer(0, stride - 1));
  const std::int64_t depth = random.integer(1, 3);     // C/G
  const std::int64_t channels = random.integer(1, 3);  // M/G
  const Shape front =
      c.is_transposed() ? Shape{depth * c.groups, channels} : Shape{channels * c.groups, depth};
  c.input = random_input(random, c.x,
                         joined({random.integer(1, 2), depth * c.groups}, several(random, rank, 5, 8)));
  c.weights = random_weights(random, joined(front, c.kernel), static_cast<std::size_t>(c.weight_axis()));
}

void make_bias(Random& random, Case& c) {
  c.bias_bits = static_cast<int>(random.chance(0.3) ? 0 : random.chance(0.6) ? 32 : random.integer(2, 31));
  if ((c.w.granularity == "group" || c.is_transposed()) && c.bias_bits != 0) c.bias_bits = 32;
  if (c.bias_bits == 0) return;
  c.bias = Tensor(DType::float32, {c.channels()});
  const double size = random.chance(0.15) ? 1e7 : 5.0;
  for (float& b : c.bias.mutable_data<float>()) b = static_cast<float>(size * random.real(-1, 1));
}

// `reach` is about what y's real values reach.
void make_activation(Random& random, Case& c, double reach) {
  c.activation = random.one_of<std::string>({"none", "none", "relu", "clip"});
  if (c.activation != "clip") return;
  c.clip_lo = static_cast<float>(random.real(-0.5, 0.3) * reach);
  c.clip_hi = c.clip_lo + static_cast<float>(random.real(0.0, 1.0) * reach);
}

void make_linear_case(Random& random, Case& c) {
  c.x = random_activation(random, c.arithmetic == Arithmetic::shift, std::exp2(random.real(-3, 6)));
  if (c.op == "gemm")
    make_gemm_tensors(random, c);
  else
    make_conv_tensors(random, c);
  c.w = random_weight_format(random, c);
  make_bias(random, c);
  // About what the sums reach, so that outputs spread over their range and some saturate.
  double largest = 1e-3;
  for (float v : c.weights.data<float>()) largest = std::max<double>(largest, std::fabs(v));
  const double terms = std::sqrt(static_cast<double>(c.weights.size()) / static_cast<double>(c.channels()));
  const double reach = std::max({std::fabs(c.x.range.lo), c.x.range.hi, 1e-3}) * largest * terms;
  c.y = random_activation(random, c.arithmetic == Arithmetic::shift, reach * random.real(0.3, 2.0));
  make_activation(random, c, reach);
}

// Often one window over the whole input, which mode onnx computes in its own way.
void make_pool_input(Random& random, Case& c) {
  const std::size_t rank = random_rank(random);
  const std::vector<std::int64_t> size = several(random, rank, 4, 9);
  const bool whole = random.chance(0.3);
  c.kernel = whole ? size : several(random, rank, 1, 4);
  c.strides = several(random, rank, 1, 3);
  for (std::size_t i = 0; i < 2 * rank; ++i)
    c.pads.push_back(whole ? 0 : random.integer(0, c.kernel[i % rank] - 1));
  c.count_include_pad = random.chance(0.5);
  c.input = random_input(random, c.x, joined({random.integer(1, 2), random.integer(1, 3)}, size));
}

// Two shapes that broadcast: each may have 1 where the other has more, and fewer dimensions.
std::pair<Shape, Shape> random_shapes(Random& random) {
  const auto rank = static_cast<std::size_t>(random.integer(1, 4));
  constexpr std::int64_t kLongest[] = {200, 20, 9, 7};
  Shape a = several(random, rank, 1, kLongest[rank - 1]);
  Shape b = a;
  if (random.chance(0.3)) return {a, b};
  for (std::size_t d = 0; d < rank; ++d) {
    if (random.chance(0.4)) a[d] = 1;
    if (random.chance(0.4)) b[d] = 1;
  }
  Shape& shorter = random.chance(0.5) ? a : b;
  if (random.chance(0.4)) shorter.erase(shorter.begin(), shorter.begin() + random.integer(0, a.size()));
  return {a, b};
}

// Formats of any kind for x, x2 and y.
void make_free_formats(Random& random, Case& c) {
  const bool shift = c.arithmetic == Arithmetic::shift;
  const double size = std::exp2(random.real(-4, 6));
  c.x = random_activation(random, shift, size);
  if (c.is_pair()) {
    const double size2 = size * random.real(0.1, 4.0);
    c.x2 = random_activation(random, shift, size2);
    const double reach = c.op == "mul" ? size * size2 : size + size2;
    c.y = random_activation(random, shift, reach * random.real(0.2, 1.2));
  } else if (c.op == "table") {
    c.y = random_activation(random, shift, random.real(0.5, 1.2));
  } else {
    c.y = random_activation(random, shift, size * random.real(0.4, 1.5));
  }
}

// A format of about this scale: what makes its range a float32 moves it by a few roundings.
ActivationCase scaled_activation(Random& random, double scale, int bits) {
  ActivationCase a;
  a.scheme = "asymmetric";
  a.format.bits = bits;
  a.format.is_signed = random.chance(0.5);
  const std::int64_t z = random.integer(a.format.qmin(), a.format.qmax());
  a.range = {exact(scale * static_cast<double>(a.format.qmin() - z)),
             exact(scale * static_cast<double>(a.format.qmax() - z))};
  return a;
}

// Scales whose ratios are small fractions, to within a few roundings: many results are then so near to ties
// that every float32 rounding on the way, and its order, decides an integer. Of a unit of few bits the scales
// are exact, and the ratios alone are rounded. At 16 bits no ties are needed for that.
void make_tied_formats(Random& random, Case& c) {
  const std::vector<double> factors{1, 1, 2, 3, 5, 7};
  const int bits = random.one_of<int>({8, 8, 16, 16, static_cast<int>(random.integer(6, 15))});
  const double unit = random.chance(0.5) ? random.real(0.01, 1.0)
                                         : std::ldexp(static_cast<double>(random.integer(1, 15)), -6);
  const double scale = unit * random.one_of<double>(factors);
  c.x = scaled_activation(random, scale, bits);
  double of_y = unit * random.one_of<double>({1, 2, 4, 6, 6, 10, 14, 18, 22});
  if (c.is_pair()) {
    const double scale2 = unit * random.one_of<double>(factors);
    c.x2 = scaled_activation(random, scale2, bits);
    if (c.op == "mul") of_y = scale * scale2 * random.one_of<double>({2, 6, 50, 70, 98, 154, 254, 3000});
  }
  c.y = scaled_activation(random, of_y, bits);
}

// Both inputs at 16 bits: a product may be beyond int32.
void widen_product(Random& random, Case& c) {
  if (random.chance(0.1)) c.x.format.bits = c.x2.format.bits = 16;
}

void make_pair_inputs(Random& random, Case& c) {
  const auto [shape, shape2] = random_shapes(random);
  c.input = random_input(random, c.x, shape);
  c.input2 = random_input(random, c.x2, shape2);
}

// Sigmoid in mode onnx differs from the exact function in the last bits of a float32: only many fine steps
// show it.
void make_table_input(Random& random, Case& c) {
  c.function = random.one_of<std::string>({"tanh", "sigmoid"});
  c.x.format.bits = std::min(c.x.format.bits, 10);
  if (c.arithmetic == Arithmetic::onnx && random.chance(0.6)) {
    c.x = scaled_activation(random, 0x1p-10, 13);
    c.y.format.bits = 16;
  }
  c.input = random_input(random, c.x, {random.integer(1, 100)});
}

void make_other_case(Random& random, Case& c) {
  if (c.arithmetic != Arithmetic::shift && c.op != "table" && random.chance(0.5))
    make_tied_formats(random, c);
  else
    make_free_formats(random, c);
  if (c.op == "table") return make_table_input(random, c);
  if (c.op == "requantize") {
    c.input = random_input(random, c.x, {random.integer(1, 100)});
    return;
  }
  if (c.op == "mul") widen_product(random, c);
  if (c.is_pair())
    make_pair_inputs(random, c);
  else
    make_pool_input(random, c);
  make_activation(random, c, std::max(-c.y.range.lo, c.y.range.hi));
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
  if (is_pair()) out["x2"] = x2.json();
  if (is_linear()) out["w"] = w.json();
  if (op == "table") out["function"] = function;
  if (activation == "clip") {
    out["clip_lo"] = static_cast<double>(clip_lo);
    out["clip_hi"] = static_cast<double>(clip_hi);
  }
  if (op == "conv" || is_transposed())
    out.update({{"strides", strides}, {"pads", pads}, {"dilations", dilations}, {"groups", groups}});
  if (is_transposed()) out["output_padding"] = output_padding;
  if (op == "average_pool")
    out.update({{"strides", strides},
                {"pads", pads},
                {"kernel", kernel},
                {"count_include_pad", count_include_pad ? 1 : 0}});
  return out;
}

Case random_case(Random& random) {
  Case c;
  c.op = random.one_of<std::string>({"gemm", "gemm", "gemm", "conv", "conv", "conv", "conv_transpose",
                                     "conv_transpose", "average_pool", "average_pool", "table", "add", "add",
                                     "sub", "mul", "requantize"});
  // Mode onnx has rules of its own for other operators than the linear ones.
  const Arithmetic third = c.is_linear() ? Arithmetic::fixed : Arithmetic::onnx;
  c.arithmetic = random.one_of<Arithmetic>({Arithmetic::fixed, Arithmetic::onnx, Arithmetic::shift, third});
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
