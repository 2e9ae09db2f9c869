// Add, pools, tables and changes of scale are the rows of docs/arithmetic.md section 7.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "tests/lower/formulas.h"

namespace halftone::qgraph {
namespace {

using formulas::Wide;
using numeric::Arithmetic;

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }

numeric::ArithmeticSpec any_spec() {
  const int mode = choose(5);
  if (mode == 3) return {.mode = Arithmetic::shift};
  if (mode == 4) return {.mode = Arithmetic::onnx};
  return {.mode = Arithmetic::fixed, .mantissa_bits = 8 << mode};
}

Grid any_grid(const numeric::ArithmeticSpec& spec) {
  const DType dtype =
      std::array{DType::int8, DType::uint8, DType::int16, DType::uint16}[static_cast<std::size_t>(choose(4))];
  const auto format = format_of(dtype);
  const float power = std::ldexp(1.0F, choose(8) - (format.bits == 16 ? 12 : 5));
  const float scale = spec.mode == Arithmetic::shift
                          ? power
                          : power * (1.0F + static_cast<float>(choose(1 << 12)) * 0x1p-12F);
  return {scale, format.qmin() + choose(format.qmax() - format.qmin() + 1), dtype};
}

Tensor any_integers(const Shape& shape, const Grid& grid) {
  const auto format = format_of(grid.dtype);
  std::mt19937_64 random(static_cast<std::uint64_t>(choose(1 << 30)));
  std::vector<std::int32_t> values(static_cast<std::size_t>(element_count(shape)));
  for (std::int32_t& v : values)
    v = format.qmin() +
        static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(format.qmax() - format.qmin() + 1));
  return numeric::from_int32(shape, values, grid.dtype);
}

std::int32_t clamp_to(Wide q, const Grid& y) {
  return formulas::clamp(q + y.zero, format_of(y.dtype).qmin(), format_of(y.dtype).qmax());
}

// Section 7, mode onnx.
std::int32_t onnx_sum(std::int32_t qa, const Grid& a, std::int32_t qb, const Grid& b, const Grid& y) {
  const auto real = [](std::int32_t q) { return static_cast<float>(q); };
  const float ra = a.scale / y.scale, rb = b.scale / y.scale;
  const float rest = real(y.zero) - std::fmaf(ra, real(a.zero), rb * real(b.zero));
  const float sum = std::fmaf(real(qa), ra, std::fmaf(real(qb), rb, rest));
  const auto format = format_of(y.dtype);
  return formulas::clamp(static_cast<Wide>(formulas::nearest_even(sum)), format.qmin(), format.qmax());
}

RC_GTEST_PROP(Add, IsTheFormula, ()) {
  const numeric::ArithmeticSpec spec = any_spec();
  const Grid a = any_grid(spec), b = any_grid(spec), y = any_grid(spec);
  const bool narrow_first = choose(2) == 0;  // then mode onnx exchanges them
  const Shape wide{2, 3, 5}, narrow{3, 1};
  Qdq g(spec);
  const Shape& shape_a = narrow_first ? narrow : wide;
  const Shape& shape_b = narrow_first ? wide : narrow;
  const ir::ValueId left = g.dequantize(g.input(shape_a, a.dtype), a, "a");
  const ir::ValueId right = g.dequantize(g.input(shape_b, b.dtype), b, "b");
  const QuantizedGraph quantized = g.lowered(g.quantize(g.node(ir::Add{}, {left, right}, "sum"), y, "y"));
  RC_ASSERT(ops_of(quantized) == "Add");
  const Tensor in[] = {any_integers(shape_a, a), any_integers(shape_b, b)};
  const auto got = numeric::to_int32(Interpreter(quantized).run(in).at(0));
  const auto all_a = numeric::to_int32(in[0]);
  const auto all_b = numeric::to_int32(in[1]);
  RC_ASSERT(got.size() == 30u);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::int32_t qa = all_a[narrow_first ? i / 5 % 3 : i];
    const std::int32_t qb = all_b[narrow_first ? i : i / 5 % 3];
    const std::int64_t va = qa - a.zero;
    const std::int64_t vb = qb - b.zero;
    std::int32_t expected = 0;
    if (spec.mode == Arithmetic::onnx) {
      expected = narrow_first ? onnx_sum(qb, b, qa, a, y) : onnx_sum(qa, a, qb, b, y);
    } else if (spec.mode == Arithmetic::shift) {
      const int ea = formulas::log2_of(a.scale), eb = formulas::log2_of(b.scale), finer = std::min(ea, eb);
      expected = clamp_to(
          formulas::round_shift(Wide{va} * (Wide{1} << (ea - finer)) + Wide{vb} * (Wide{1} << (eb - finer)),
                                formulas::log2_of(y.scale) - finer),
          y);
    } else {
      const int B = spec.mantissa_bits;
      const double Ma = static_cast<double>(a.scale) / y.scale, Mb = static_cast<double>(b.scale) / y.scale;
      const int n = formulas::multiplier(std::max(Ma, Mb), B).n;
      const Wide acc = Wide{va} * formulas::nearest_even(std::ldexp(Ma, B - 1 + n)) +
                       Wide{vb} * formulas::nearest_even(std::ldexp(Mb, B - 1 + n));
      expected = clamp_to(formulas::round_shift(acc, B - 1 + n), y);
    }
    RC_ASSERT(got[i] == expected);
  }
}

TEST(Add, OfAValueAndItselfIsTwiceIt) {
  for (const numeric::ArithmeticSpec& spec :
       {numeric::ArithmeticSpec{}, {.mode = Arithmetic::shift}, {.mode = Arithmetic::onnx}}) {
    Qdq g(spec);
    const Grid grid{0.5F, 3, DType::int8};
    const ir::ValueId x = g.dequantize(g.input({kDynamic}, DType::int8), grid, "x");
    const QuantizedGraph quantized = g.lowered(g.quantize(g.node(ir::Add{}, {x, x}, "sum"), grid, "y"));
    const Tensor in = int8s({5}, {3, 4, 2, 127, -128});
    EXPECT_TRUE(Interpreter(quantized).run({&in, 1}).at(0) == int8s({5}, {3, 5, 1, 127, -128}));
  }
}

TEST(Add, OperandsThatDifferBy2To40AreRefusedInModeShiftByName) {
  Qdq g({.mode = Arithmetic::shift});
  const ir::ValueId a = g.dequantize(g.input({1}, DType::int8), {1.0F, 0, DType::int8}, "a");
  const ir::ValueId b = g.dequantize(g.input({1}, DType::int8), {0x1p-41F, 0, DType::int8}, "b");
  const ir::ValueId y = g.quantize(g.node(ir::Add{}, {a, b}, "sum"), {1.0F, 0, DType::int8}, "y");
  EXPECT_THAT(message_of<InputError>([&] { g.lowered(y); }), testing::HasSubstr("sum"));
}

RC_GTEST_PROP(AveragePool, IsTheFormulaForEveryCount, ()) {
  const numeric::ArithmeticSpec spec = any_spec();
  const Grid x = any_grid(spec), y = any_grid(spec);
  const bool include = choose(2) == 0;
  const std::int64_t k = 1 + choose(3), s = 1 + choose(3), p = choose(static_cast<int>(k)),
                     height = 3 + choose(5), width = 3 + choose(5);
  Qdq g(spec);
  const ir::ValueId in = g.dequantize(g.input({kDynamic, 2, height, width}, x.dtype), x, "x");
  const ir::AveragePool op{{.kernel = {k, k}, .strides = {s, s}, .pads = {p, 0, 0, p}}, include};
  const QuantizedGraph quantized = g.lowered(g.quantize(g.node(op, {in}, "mean"), y, "y"));
  RC_ASSERT(ops_of(quantized) == "AveragePool");
  const Tensor integers = any_integers({1, 2, height, width}, x);
  const auto got = numeric::to_int32(Interpreter(quantized).run({&integers, 1}).at(0));
  const auto q = numeric::to_int32(integers);
  const std::int64_t oh = (height + p - k) / s + 1, ow = (width + p - k) / s + 1;
  RC_ASSERT(static_cast<std::int64_t>(got.size()) == 2 * oh * ow);
  for (std::int64_t i = 0; i < 2 * oh * ow; ++i) {
    const std::int64_t c = i / (oh * ow), r = i / ow % oh, col = i % ow;
    std::int64_t sum = 0, count = 0;
    float real_sum = 0.0F;
    for (std::int64_t a = r * s - p; a < r * s - p + k; ++a)
      for (std::int64_t b = col * s; b < col * s + k; ++b) {
        const bool inside = a >= 0 && a < height && b >= 0 && b < width;
        const std::int32_t centred =
            inside ? q[static_cast<std::size_t>((c * height + a) * width + b)] - x.zero : 0;
        sum += centred;
        real_sum += x.scale * static_cast<float>(centred);
        count += inside || include ? 1 : 0;
      }
    std::int32_t expected = 0;
    if (spec.mode == Arithmetic::onnx) {
      const float mean = real_sum / static_cast<float>(count);
      const float scaled = mean / y.scale;
      const float moved = scaled + static_cast<float>(y.zero);
      expected = formulas::clamp(formulas::nearest_even(moved), format_of(y.dtype).qmin(),
                                 format_of(y.dtype).qmax());
    } else if (spec.mode == Arithmetic::shift) {
      const formulas::M m = formulas::multiplier(1.0 / static_cast<double>(count), 16);
      expected = clamp_to(formulas::round_shift(Wide{sum} * m.m, 15 + m.n + formulas::log2_of(y.scale) -
                                                                     formulas::log2_of(x.scale)),
                          y);
    } else {
      const formulas::M m = formulas::multiplier(
          static_cast<double>(x.scale) / (static_cast<double>(y.scale) * static_cast<double>(count)),
          spec.mantissa_bits);
      expected = clamp_to(formulas::round_shift(Wide{sum} * m.m, spec.mantissa_bits - 1 + m.n), y);
    }
    RC_ASSERT(got[static_cast<std::size_t>(i)] == expected);
  }
}

TEST(AveragePool, KeepsOneMultiplierForEachDistinctCount) {
  Qdq g;
  const Grid grid{1.0F, 0, DType::int8};
  const ir::ValueId in = g.dequantize(g.input({kDynamic, 1, 4, 5}, DType::int8), grid, "x");
  const ir::AveragePool op{{.kernel = {3, 2}, .pads = {1, 1, 1, 0}}};  // rows count 2 or 3, columns 1 or 2
  const QuantizedGraph quantized = g.lowered(g.quantize(g.node(op, {in}, "mean"), grid, "y"));
  const auto& pool = std::get<AveragePool>(quantized.nodes.at(0).op);
  EXPECT_THAT(pool.counts, testing::ElementsAre(2, 3, 4, 6));
  EXPECT_EQ(std::get<MultiplyShift>(pool.requantizer.scaling).m.size(), 4u);
}

TEST(AveragePool, OfTheWholeIsAWindowOfTheWhole) {
  for (const numeric::ArithmeticSpec& spec :
       {numeric::ArithmeticSpec{}, {.mode = Arithmetic::shift}, {.mode = Arithmetic::onnx}}) {
    std::vector<Tensor> results;
    for (const ir::Op& op : {ir::Op(ir::GlobalAveragePool{}), ir::Op(ir::AveragePool{{.kernel = {3, 5}}})}) {
      Qdq g(spec);
      const Grid grid{0.25F, -5, DType::int8};
      const ir::ValueId in = g.dequantize(g.input({kDynamic, 2, 3, 5}, DType::int8), grid, "x");
      const QuantizedGraph quantized =
          g.lowered(g.quantize(g.node(op, {in}, "mean"), {0.125F, 1, DType::int8}, "y"));
      Tensor x(DType::int8, {2, 2, 3, 5});
      int next = 0;
      for (std::int8_t& v : x.mutable_data<std::int8_t>()) v = static_cast<std::int8_t>(next += 37);
      results.push_back(Interpreter(quantized).run({&x, 1}).at(0));
    }
    EXPECT_EQ(results[0].shape(), (Shape{2, 2, 1, 1}));
    EXPECT_TRUE(results[0] == results[1]);
  }
}

TEST(AveragePool, OfSoManyValuesThatInt32OverflowsIsRefusedByName) {
  Qdq g;
  const Grid grid{1.0F, 0, DType::uint16};
  const ir::ValueId in = g.dequantize(g.input({kDynamic, 1, 1, 40000}, DType::uint16), grid, "x");
  const ir::ValueId y = g.quantize(g.node(ir::GlobalAveragePool{}, {in}, "mean"), grid, "y");
  EXPECT_THAT(message_of<InputError>([&] { g.lowered(y); }), testing::HasSubstr("mean"));
}

template <typename Op>
double real(const Op& op, double x) {
  if constexpr (std::is_same_v<Op, ir::Tanh>) return std::tanh(x);
  if constexpr (std::is_same_v<Op, ir::Sigmoid>) return 1.0 / (1.0 + std::exp(-x));
  if constexpr (std::is_same_v<Op, ir::Relu>) return x > 0.0 ? x : 0.0;
  if constexpr (std::is_same_v<Op, ir::Clip>) return x < op.lo ? op.lo : x > op.hi ? op.hi : x;
}

// Section 7: the logistic function in mode onnx.
float rational(float x) {
  x = x < -18.0F ? -18.0F : x > 18.0F ? 18.0F : x;
  const float u = x * x;
  float p = 4.37031012579801e-11F;
  for (float c : {1.15627324459942e-7F, 6.08574864600143e-5F, 8.51377133304701e-3F, 2.48287947061529e-1F})
    p = std::fmaf(p, u, c);
  p = p * x;
  float d = 6.10247389755681e-13F;
  for (float c : {5.76102136993427e-9F, 6.29106785017040e-6F, 1.70198817374094e-3F, 1.16817656904453e-1F,
                  9.93151921023180e-1F})
    d = std::fmaf(d, u, c);
  const float f = p / d + 0.5F;
  return f > 0.0F ? f : 0.0F;
}

// Section 7, "any function of one variable", at q.
template <typename F>
std::int32_t table_entry(const F& f, std::int32_t q, const Grid& x, const Grid& y,
                         const numeric::ArithmeticSpec& spec) {
  if (spec.mode == Arithmetic::onnx) {
    const float value = x.scale * static_cast<float>(q - x.zero);
    const float result = static_cast<float>(f(value));
    const float ratio = result / y.scale;
    return formulas::quantize(ratio, y);
  }
  return formulas::quantize(f(static_cast<double>(x.scale) * (q - x.zero)) / static_cast<double>(y.scale), y);
}

template <typename Op>
void expect_table(const Op& op) {
  const numeric::ArithmeticSpec spec = any_spec();
  const Grid x = any_grid(spec), y = any_grid(spec);
  const auto format = format_of(x.dtype);
  RC_PRE(format.bits == 8 || choose(8) == 0);
  Qdq g(spec);
  const ir::ValueId in = g.dequantize(g.input({kDynamic}, x.dtype), x, "x");
  const QuantizedGraph quantized = g.lowered(g.quantize(g.node(op, {in}, "f"), y, "y"));
  RC_ASSERT(ops_of(quantized) == "Table");
  std::vector<std::int32_t> all;
  for (std::int32_t q = format.qmin(); q <= format.qmax(); ++q) all.push_back(q);
  const Tensor integers = numeric::from_int32({static_cast<std::int64_t>(all.size())}, all, x.dtype);
  const auto got = numeric::to_int32(Interpreter(quantized).run({&integers, 1}).at(0));
  const auto f = [&](double r) {
    const bool of_mode = std::is_same_v<Op, ir::Sigmoid> && spec.mode == Arithmetic::onnx;
    return of_mode ? double{rational(static_cast<float>(r))} : real(op, r);
  };
  for (std::size_t i = 0; i < all.size(); ++i) RC_ASSERT(got[i] == table_entry(f, all[i], x, y, spec));
}

RC_GTEST_PROP(Table, Tanh, ()) { expect_table(ir::Tanh{}); }
RC_GTEST_PROP(Table, Sigmoid, ()) { expect_table(ir::Sigmoid{}); }
RC_GTEST_PROP(Table, ReluThatNothingTakesIn, ()) { expect_table(ir::Relu{}); }
RC_GTEST_PROP(Table, ClipThatNothingTakesIn, ()) { expect_table(ir::Clip{-0.75F, 1.125F}); }

float any_slope() { return static_cast<float>(choose(1 << 12) - (1 << 10)) * 0x1p-10F; }

RC_GTEST_PROP(Table, PReluIsOneFunctionAChannel, ()) {
  const numeric::ArithmeticSpec spec = any_spec();
  const Grid x = any_grid(spec), y = any_grid(spec);
  const auto format = format_of(x.dtype);
  RC_PRE(format.bits == 8 || choose(8) == 0);
  const int channels = 1 + choose(3);
  std::vector<float> slopes;
  for (int c = 0; c < channels; ++c) slopes.push_back(any_slope());
  std::vector<std::int32_t> all;
  for (std::int32_t c = 0; c < channels; ++c)
    for (std::int32_t q = format.qmin(); q <= format.qmax(); ++q) all.push_back(q);
  const auto length = static_cast<std::int64_t>(all.size()) / channels;
  Qdq g(spec);
  const ir::ValueId in = g.dequantize(g.input({kDynamic, channels, length}, x.dtype), x, "x");
  const ir::ValueId slope = g.graph.add_constant("slope", ir::floats({channels, 1}, slopes));
  const QuantizedGraph quantized = g.lowered(g.quantize(g.node(ir::PRelu{}, {in, slope}, "f"), y, "y"));
  RC_ASSERT(ops_of(quantized) == "Table");
  RC_ASSERT(std::get<Table>(quantized.nodes.at(0).op).channels == channels);
  std::vector<std::int32_t> twice = all;
  twice.insert(twice.end(), all.begin(), all.end());
  const Tensor integers = numeric::from_int32({2, channels, length}, twice, x.dtype);
  const auto got = numeric::to_int32(Interpreter(quantized).run({&integers, 1}).at(0));
  for (std::size_t i = 0; i < twice.size(); ++i) {
    const double each = slopes[i / static_cast<std::size_t>(length) % static_cast<std::size_t>(channels)];
    const auto f = [&](double r) { return r < 0 ? each * r : r; };
    RC_ASSERT(got[i] == table_entry(f, twice[i], x, y, spec));
  }
}

// x ∘ c or c ∘ x.
double of_two(const ir::Op& op, double a, double b) {
  if (std::holds_alternative<ir::Add>(op)) return a + b;
  if (std::holds_alternative<ir::Sub>(op)) return a - b;
  if (std::holds_alternative<ir::Mul>(op)) return a * b;
  if (std::holds_alternative<ir::Div>(op)) return a / b;
  if (std::holds_alternative<ir::Pow>(op)) return std::pow(a, b);
  return std::holds_alternative<ir::Min>(op) ? std::fmin(a, b) : std::fmax(a, b);
}

RC_GTEST_PROP(Table, IsAnOpWithOneConstantOperandAndTakesInARelu, ()) {
  const numeric::ArithmeticSpec spec = any_spec();
  Grid x = any_grid(spec), y = any_grid(spec);
  x.dtype = DType::int8, x.zero = choose(256) - 128;
  const ir::Op ops[] = {ir::Add{}, ir::Sub{}, ir::Mul{}, ir::Div{}, ir::Pow{}, ir::Min{}, ir::Max{}};
  const ir::Op op = ops[choose(7)];
  const bool first = choose(2) == 0, relu = choose(2) == 0;
  const float c = std::ldexp(static_cast<float>(1 + choose(64)), -5);
  std::vector<std::int32_t> all;
  for (std::int32_t q = -128; q <= 127; ++q) all.push_back(q);
  Qdq g(spec);
  const ir::ValueId in = g.dequantize(g.input({kDynamic, 256}, x.dtype), x, "x");
  const ir::ValueId constant = g.graph.add_constant("c", ir::floats({}, {c}));
  ir::ValueId f = g.node(op, first ? std::vector{constant, in} : std::vector{in, constant}, "f");
  // Only behind these the ReLU becomes bounds.
  const bool bounds = std::holds_alternative<ir::Add>(op) || std::holds_alternative<ir::Sub>(op) ||
                      std::holds_alternative<ir::Mul>(op);
  if (relu && bounds) f = g.node(ir::Relu{}, {f}, "r");
  const QuantizedGraph quantized = g.lowered(g.quantize(f, y, "y"));
  RC_ASSERT(ops_of(quantized) == "Table");
  const Tensor integers = numeric::from_int32({1, 256}, all, x.dtype);
  const auto got = numeric::to_int32(Interpreter(quantized).run({&integers, 1}).at(0));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto value = [&](double r) {
      const double result = first ? of_two(op, c, r) : of_two(op, r, c);
      if (std::isnan(result)) return 0.0;
      return relu && bounds ? std::fmax(result, 0.0) : result;
    };
    RC_ASSERT(got[i] == table_entry(value, all[i], x, y, spec));
  }
}

TEST(Table, OfAFunctionThatIsNoNumberSomewhereHoldsZeroThere) {
  for (const numeric::ArithmeticSpec& spec : {numeric::ArithmeticSpec{}, {.mode = Arithmetic::onnx}}) {
    Qdq g(spec);
    const Grid x{0.5F, 0, DType::int8}, y{0.25F, 7, DType::int8};
    const ir::ValueId in = g.dequantize(g.input({4}, DType::int8), x, "x");
    const QuantizedGraph quantized = g.lowered(g.quantize(g.node(ir::Sqrt{}, {in}, "root"), y, "y"));
    const Tensor integers = int8s({4}, {-128, -1, 0, 8});
    EXPECT_TRUE(Interpreter(quantized).run({&integers, 1}).at(0) == int8s({4}, {7, 7, 7, 15}));
  }
}

// PRelu of x [N, 2, 2] with this slope.
struct SlopeNetwork : Qdq {
  Grid grid{0.5F, 3, DType::int8};
  ir::ValueId x = dequantize(input({kDynamic, 2, 2}, DType::int8), grid, "x");
  QuantizedGraph with(ir::ValueId slope) {
    return lowered(quantize(node(ir::PRelu{}, {x, slope}, "f"), grid, "y"));
  }
};

TEST(Table, PReluOfQuantizedSlopesIsThatOfTheirReals) {
  SlopeNetwork plain, integers;
  const QuantizedGraph a = plain.with(plain.graph.add_constant("slope", ir::floats({2, 1}, {0.75F, -1.5F})));
  const QuantizedGraph b = integers.with(integers.weights(int8s({2, 1}, {3, -6}), {0.25F}, {0}, 0, "slope"));
  EXPECT_EQ(std::get<Table>(a.nodes.at(0).op).entries, std::get<Table>(b.nodes.at(0).op).entries);
}

TEST(Table, PReluWhoseSlopesRunAlongAnotherDimensionOrAreComputedStaysFloat) {
  SlopeNetwork along, computed, quantized;
  for (const QuantizedGraph& graph :
       {along.with(along.graph.add_constant("slope", ir::floats({2}, {0.75F, -1.5F}))),
        computed.with(computed.input({2, 1})),
        quantized.with(
            quantized.dequantize(quantized.input({2, 1}, DType::int8), quantized.grid, "slope"))}) {
    const Node* island = find_node<Island>(graph);
    ASSERT_NE(island, nullptr);
    EXPECT_THAT(std::get<Island>(island->op).reasons.at(0).text,
                testing::HasSubstr("its slopes are not one constant number"));
  }
}

TEST(Table, PReluOfSoManyChannelsThatItsTablesFillMemoryStaysFloat) {
  Qdq g;
  const Grid grid{0.5F, 3, DType::uint16};
  const ir::ValueId x = g.dequantize(g.input({kDynamic, 257, 1}, DType::uint16), grid, "x");
  const ir::ValueId slope = g.graph.add_constant("slope", Tensor(DType::float32, {257, 1}));
  const QuantizedGraph quantized = g.lowered(g.quantize(g.node(ir::PRelu{}, {x, slope}, "f"), grid, "y"));
  const Node* island = find_node<Island>(quantized);
  ASSERT_NE(island, nullptr);
  EXPECT_EQ(std::get<Island>(island->op).reasons.at(0).text,
            "its tables would have 16842752 entries, expected at most 16777216");
}

RC_GTEST_PROP(Requantize, IsTheFormula, ()) {
  const numeric::ArithmeticSpec spec = any_spec();
  const Grid x = any_grid(spec), y = any_grid(spec);
  RC_PRE(x.scale != y.scale || x.zero != y.zero || x.dtype != y.dtype);
  Qdq g(spec);
  const ir::ValueId in = g.dequantize(g.input({kDynamic}, x.dtype), x, "x");
  const QuantizedGraph quantized = g.lowered(g.quantize(in, y, "y"));
  RC_ASSERT(ops_of(quantized) == (spec.mode == Arithmetic::onnx ? "Table" : "Requantize"));
  const Tensor integers = any_integers({40}, x);
  const auto got = numeric::to_int32(Interpreter(quantized).run({&integers, 1}).at(0));
  const auto q = numeric::to_int32(integers);
  const auto format = format_of(y.dtype);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::int64_t centred = q[i] - x.zero;
    const float real = x.scale * static_cast<float>(centred);
    const float ratio = real / y.scale;
    RC_ASSERT(got[i] == (spec.mode == Arithmetic::onnx
                             ? formulas::quantize(ratio, y)
                             : formulas::requantize(centred, x.scale, 1.0F, y, format.qmin(), format.qmax(),
                                                    spec, false)));
  }
}

RC_GTEST_PROP(MaxPool, IsTheLargestOfEachWindow, ()) {
  const std::int64_t k = 1 + choose(3), s = 1 + choose(3), height = 3 + choose(5), width = 3 + choose(5),
                     p = choose(static_cast<int>(k));
  const Grid x = any_grid({});
  Qdq g;
  const ir::ValueId in = g.dequantize(g.input({kDynamic, 2, height, width}, x.dtype), x, "x");
  const ir::MaxPool op{{.kernel = {k, k}, .strides = {s, s}, .pads = {p, p, 0, 0}}};
  const QuantizedGraph quantized = g.lowered(g.quantize(g.node(op, {in}, "largest"), x, "y"));
  RC_ASSERT(ops_of(quantized) == "MaxPool");
  const Tensor integers = any_integers({1, 2, height, width}, x);
  const Tensor result = Interpreter(quantized).run({&integers, 1}).at(0);
  const auto got = numeric::to_int32(result);
  const auto q = numeric::to_int32(integers);
  for (std::int64_t i = 0; i < result.size(); ++i) {
    const std::int64_t oh = result.dim(2), ow = result.dim(3), c = i / (oh * ow), r = i / ow % oh,
                       col = i % ow;
    std::int32_t best = INT32_MIN;
    for (std::int64_t a = std::max<std::int64_t>(0, r * s - p); a < std::min(height, r * s - p + k); ++a)
      for (std::int64_t b = std::max<std::int64_t>(0, col * s - p); b < std::min(width, col * s - p + k); ++b)
        best = std::max(best, q[static_cast<std::size_t>((c * height + a) * width + b)]);
    RC_ASSERT(got[static_cast<std::size_t>(i)] == best);
  }
}

}  // namespace
}  // namespace halftone::qgraph
