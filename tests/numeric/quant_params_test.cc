#include "halftone/numeric/quant_params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

using testing::ElementsAre;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Tensor tensor_of(Shape shape, const std::vector<float>& values) {
  return Tensor::from<float>(std::move(shape), values);
}

// The positions of every channel's elements in row-major order, found by counting through all indices.
std::vector<std::vector<std::size_t>> rows_of(const Shape& shape, int axis) {
  std::vector<std::vector<std::size_t>> rows(static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]));
  Shape index(shape.size(), 0);
  const auto count = static_cast<std::size_t>(element_count(shape));
  for (std::size_t i = 0; i < count; ++i) {
    rows[static_cast<std::size_t>(index[static_cast<std::size_t>(axis)])].push_back(i);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
  return rows;
}

// The positions that each entry of `affine` covers.
std::vector<std::vector<std::size_t>> blocks_of(const Shape& shape, const WeightSpec& spec) {
  std::vector<std::vector<std::size_t>> blocks;
  if (spec.granularity == Granularity::tensor) {
    blocks.emplace_back(static_cast<std::size_t>(element_count(shape)));
    for (std::size_t i = 0; i < blocks[0].size(); ++i) blocks[0][i] = i;
    return blocks;
  }
  for (const auto& row : rows_of(shape, spec.axis)) {
    const std::size_t size =
        spec.granularity == Granularity::group ? static_cast<std::size_t>(spec.group_size) : row.size();
    for (std::size_t first = 0; first < row.size(); first += size)
      blocks.emplace_back(row.begin() + static_cast<std::ptrdiff_t>(first),
                          row.begin() + static_cast<std::ptrdiff_t>(std::min(first + size, row.size())));
  }
  return blocks;
}

struct Drawn {
  Tensor weights;
  WeightSpec spec;
};

// Magnitudes from 2^−40 to 2^3, so that channels and groups below 2^−20 of the tensor's α come up.
rc::Gen<Drawn> any_weights() {
  return rc::gen::exec([] {
    const auto rank = *rc::gen::inRange<std::size_t>(1, 5);
    const auto shape = *rc::gen::container<Shape>(rank, rc::gen::inRange<std::int64_t>(1, 5));
    WeightSpec spec;
    spec.format = *rc::gen::arbitrary<IntegerFormat>();
    spec.scheme = *rc::gen::element(Scheme::symmetric, Scheme::asymmetric);
    spec.power_of_two = *rc::gen::arbitrary<bool>();
    spec.granularity = *rc::gen::element(Granularity::tensor, Granularity::channel, Granularity::group);
    spec.axis = *rc::gen::inRange(0, static_cast<int>(rank));
    spec.group_size = *rc::gen::inRange(1, 12);
    Tensor weights(DType::float32, shape);
    auto values = weights.mutable_data<float>();
    const bool negative = spec.scheme == Scheme::asymmetric || spec.format.is_signed;
    // A block draws one magnitude, so that some lie far below the rest.
    for (const auto& block : blocks_of(shape, spec)) {
      const auto exponent = *rc::gen::element(-40, -21, -20, 0, 3);
      for (std::size_t i : block) {
        const float w = *rc::gen::oneOf(float_of_exponent(exponent - 2, exponent), rc::gen::just(0.0F));
        values[i] = negative ? w : std::fabs(w);
      }
    }
    return Drawn{weights, spec};
  });
}

std::vector<Range> expected_ranges(const Tensor& weights, const WeightSpec& spec) {
  const auto values = weights.data<float>();
  double alpha = 0;
  for (float w : values) alpha = std::max<double>(alpha, std::fabs(w));
  std::vector<Range> ranges;
  for (const auto& block : blocks_of(weights.shape(), spec)) {
    Range range;
    for (std::size_t i : block)
      range = {std::min<double>(range.lo, values[i]), std::max<double>(range.hi, values[i])};
    const bool dead = std::max(-range.lo, range.hi) < alpha * 0x1p-20;
    const bool non_negative = spec.scheme == Scheme::symmetric && !spec.format.is_signed;
    if (dead && spec.granularity != Granularity::tensor) range = {non_negative ? 0 : -alpha, alpha};
    ranges.push_back(range);
  }
  return ranges;
}

RC_GTEST_PROP(ParamsFromWeights, EveryBlockIsCoveredByItsOwnRange, ()) {
  const Drawn d = *any_weights();
  const std::vector<Range> ranges = expected_ranges(d.weights, d.spec);
  RC_ASSERT(weight_ranges(d.weights, d.spec) == ranges);
  const QuantParams params = params_from_weights(d.weights, d.spec);
  RC_ASSERT(params.affine.size() == ranges.size());
  for (std::size_t i = 0; i < ranges.size(); ++i)
    RC_ASSERT(params.affine[i] ==
              affine_from_range(ranges[i], d.spec.format, d.spec.scheme, d.spec.power_of_two));
  RC_ASSERT(params.format == d.spec.format);
  RC_ASSERT(params.granularity == d.spec.granularity);
}

RC_GTEST_PROP(AffineIndex, PointsEveryElementAtItsBlock, ()) {
  const Drawn d = *any_weights();
  const QuantParams params = params_from_weights(d.weights, d.spec);
  const std::vector<std::int32_t> index = affine_index(d.weights.shape(), params);
  const auto blocks = blocks_of(d.weights.shape(), d.spec);
  RC_ASSERT(index.size() == static_cast<std::size_t>(d.weights.size()));
  for (std::size_t b = 0; b < blocks.size(); ++b)
    for (std::size_t i : blocks[b]) RC_ASSERT(index[i] == static_cast<std::int32_t>(b));
}

RC_GTEST_PROP(QuantizeTensor, IsTheScalarMapOfEveryElement, (Rounding rounding)) {
  const Drawn d = *any_weights();
  const QuantParams params = params_from_weights(d.weights, d.spec);
  const Tensor q = quantize(d.weights, params, rounding);
  RC_ASSERT(q.dtype() == storage_dtype(d.spec.format));
  RC_ASSERT(q.shape() == d.weights.shape());
  const std::vector<std::int32_t> integers = to_int32(q);
  const Tensor back = dequantize(q, params);
  RC_ASSERT(back.shape() == d.weights.shape());
  const std::vector<std::int32_t> index = affine_index(d.weights.shape(), params);
  for (std::size_t i = 0; i < integers.size(); ++i) {
    const Affine& affine = params.affine[static_cast<std::size_t>(index[i])];
    RC_ASSERT(integers[i] == quantize(d.weights.data<float>()[i], affine, params.format, rounding));
    RC_ASSERT(back.data<float>()[i] == dequantize(integers[i], affine));
  }
}

// The parameters cover the weights: half a step each, a whole one where +α of a full range clips.
RC_GTEST_PROP(QuantizeTensor, NoWeightIsOffByMoreThanItsStep, ()) {
  const Drawn d = *any_weights();
  const QuantParams params = params_from_weights(d.weights, d.spec);
  const Tensor back = dequantize(quantize(d.weights, params), params);
  const std::vector<std::int32_t> index = affine_index(d.weights.shape(), params);
  const bool full = d.spec.scheme == Scheme::symmetric && d.spec.format.is_signed && !d.spec.format.narrow;
  const bool clips = full || d.spec.scheme == Scheme::asymmetric;
  for (std::size_t i = 0; i < index.size(); ++i) {
    const double s = params.affine[static_cast<std::size_t>(index[i])].scale;
    const double error = std::fabs(static_cast<double>(back.data<float>()[i]) -
                                   static_cast<double>(d.weights.data<float>()[i]));
    RC_ASSERT(error <= s * ((clips ? 1.0 : 0.5) + 0x1p-5));
  }
}

TEST(ParamsFromWeights, ChannelsOfAxisZeroAndOne) {
  const Tensor weights = tensor_of({2, 3}, {1, -2, 3, -4, 5, -6});
  WeightSpec spec;
  EXPECT_THAT(params_from_weights(weights, spec).affine, ElementsAre(Affine{3.0F / 127}, Affine{6.0F / 127}));
  spec.axis = 1;
  EXPECT_THAT(params_from_weights(weights, spec).affine,
              ElementsAre(Affine{4.0F / 127}, Affine{5.0F / 127}, Affine{6.0F / 127}));
  spec.granularity = Granularity::tensor;
  const QuantParams whole = params_from_weights(weights, spec);
  EXPECT_THAT(whole.affine, ElementsAre(Affine{6.0F / 127}));
  EXPECT_EQ(whole.tensor(), whole.affine[0]);
}

TEST(ParamsFromWeights, TheLastGroupMayBeShort) {
  const Tensor weights = tensor_of({2, 5}, {1, 2, 3, 4, 5, 10, 20, 30, 40, 50});
  WeightSpec spec{.granularity = Granularity::group, .group_size = 2};
  const QuantParams params = params_from_weights(weights, spec);
  EXPECT_THAT(params.affine, ElementsAre(Affine{2.0F / 127}, Affine{4.0F / 127}, Affine{5.0F / 127},
                                         Affine{20.0F / 127}, Affine{40.0F / 127}, Affine{50.0F / 127}));
  EXPECT_EQ(params.group_size, 2);
  EXPECT_THAT(affine_index(weights.shape(), params), ElementsAre(0, 0, 1, 1, 2, 3, 3, 4, 4, 5));
}

TEST(ParamsFromWeights, GroupsOfAxisOneRunOverTheOtherElementsInRowMajorOrder) {
  // Channel 0 of axis 1 is 1, 3, 5; channel 1 is 2, 4, 6.
  const Tensor weights = tensor_of({3, 2}, {1, 2, 3, 4, 5, 6});
  WeightSpec spec{.granularity = Granularity::group, .axis = 1, .group_size = 2};
  const QuantParams params = params_from_weights(weights, spec);
  EXPECT_THAT(params.affine,
              ElementsAre(Affine{3.0F / 127}, Affine{5.0F / 127}, Affine{4.0F / 127}, Affine{6.0F / 127}));
  EXPECT_THAT(affine_index(weights.shape(), params), ElementsAre(0, 2, 0, 2, 1, 3));
}

TEST(ParamsFromWeights, AGroupLargerThanTheRowIsTheChannel) {
  const Tensor weights = tensor_of({2, 3}, {1, -2, 3, -4, 5, -6});
  WeightSpec group{.granularity = Granularity::group, .group_size = 100};
  EXPECT_EQ(params_from_weights(weights, group).affine, params_from_weights(weights, WeightSpec{}).affine);
}

TEST(ParamsFromWeights, ADeadChannelTakesTheTensorsAlpha) {
  const Tensor weights = tensor_of({3, 2}, {1, -0.5, 1e-9F, -1e-9F, 0, 0});
  EXPECT_THAT(params_from_weights(weights, WeightSpec{}).affine,
              ElementsAre(Affine{1.0F / 127}, Affine{1.0F / 127}, Affine{1.0F / 127}));
  EXPECT_THAT(weight_ranges(weights, WeightSpec{}), ElementsAre(Range{-0.5, 1}, Range{-1, 1}, Range{-1, 1}));
  WeightSpec group{.granularity = Granularity::group, .group_size = 1};
  EXPECT_THAT(weight_ranges(weights, group), ElementsAre(Range{0, 1}, Range{-0.5, 0}, Range{-1, 1},
                                                         Range{-1, 1}, Range{-1, 1}, Range{-1, 1}));
}

TEST(ParamsFromWeights, ADeadChannelOfUnsignedSymmetricStaysNonNegative) {
  const Tensor weights = tensor_of({2, 1}, {4, 1e-9F});
  const WeightSpec spec{.format = {8, false, false}};
  EXPECT_THAT(weight_ranges(weights, spec), ElementsAre(Range{0, 4}, Range{0, 4}));
  const WeightSpec asymmetric{.format = {8, false, false}, .scheme = Scheme::asymmetric};
  EXPECT_THAT(weight_ranges(weights, asymmetric), ElementsAre(Range{0, 4}, Range{-4, 4}));
}

TEST(ParamsFromWeights, ExactlyTwoToTheMinus20IsNotDead) {
  const float below = std::nextafter(0x1p-20F, 0.0F);
  const Tensor weights = tensor_of({3, 1}, {-1, 0x1p-20F, below});
  EXPECT_THAT(weight_ranges(weights, WeightSpec{}),
              ElementsAre(Range{-1, 0}, Range{0, 0x1p-20}, Range{-1, 1}));
}

TEST(ParamsFromWeights, AnAllZeroTensorHasScaleOne) {
  const Tensor weights(DType::float32, {2, 3});
  for (Granularity granularity : {Granularity::tensor, Granularity::channel, Granularity::group})
    for (const Affine& affine :
         params_from_weights(weights, {.granularity = granularity, .group_size = 2}).affine)
      EXPECT_EQ(affine, Affine{});
}

TEST(ParamsFromWeights, EmptyTensors) {
  for (const Shape& shape : {Shape{0}, Shape{0, 3}, Shape{3, 0}})
    for (Granularity granularity : {Granularity::tensor, Granularity::channel, Granularity::group}) {
      const Tensor weights(DType::float32, shape);
      const QuantParams params = params_from_weights(weights, {.granularity = granularity, .group_size = 2});
      EXPECT_EQ(quantize(weights, params).shape(), shape);
      EXPECT_EQ(dequantize(quantize(weights, params), params).shape(), shape);
    }
}

TEST(ParamsFromWeights, RefusesWhatIsNotFinite) {
  for (float bad : {kNan, kInfinity, -kInfinity})
    EXPECT_THROW(params_from_weights(tensor_of({2, 1}, {1, bad}), WeightSpec{}), InputError) << bad;
}

TEST(ParamsFromWeights, ChecksItsSpec) {
  const Tensor weights = tensor_of({2, 2}, {1, 2, 3, 4});
  EXPECT_THROW(params_from_weights(weights, {.axis = 2}), InputError);
  EXPECT_THROW(params_from_weights(weights, {.axis = -1}), InputError);
  EXPECT_THROW(params_from_weights(weights, {.format = {17, true, false}}), UsageError);
  EXPECT_THROW(params_from_weights(weights, {.granularity = Granularity::group, .group_size = 0}),
               UsageError);
  EXPECT_THROW(params_from_weights(weights, {.granularity = Granularity::group, .group_size = -1}),
               UsageError);
  EXPECT_THROW(params_from_weights(tensor_of({}, {1}), WeightSpec{}), InputError);
  EXPECT_NO_THROW(params_from_weights(tensor_of({}, {1}), {.granularity = Granularity::tensor}));
  EXPECT_THROW(params_from_weights(tensor_of({1}, {-1}), {.format = {8, false, false}}), InputError);
}

TEST(QuantizeTensor, TheNumberOfScalesMustBeThatOfTheChannels) {
  const Tensor weights = tensor_of({2, 2}, {1, 2, 3, 4});
  for (std::size_t count : {0U, 1U, 3U}) {
    const QuantParams params{
        .granularity = Granularity::channel, .axis = 0, .affine = std::vector<Affine>(count)};
    EXPECT_THROW(quantize(weights, params), InputError) << count;
    EXPECT_THROW(dequantize(Tensor(DType::int8, {2, 2}), params), InputError) << count;
  }
}

TEST(QuantizeTensor, NanIsAnErrorAndInfinitySaturates) {
  EXPECT_THROW(quantize(tensor_of({1}, {kNan}), QuantParams{}), InputError);
  EXPECT_THAT(to_int32(quantize(tensor_of({2}, {kInfinity, -kInfinity}), QuantParams{})),
              ElementsAre(127, -128));
}

TEST(QuantizeTensor, TakesOnlyFloat32AndIntegers) {
  EXPECT_THROW(quantize(Tensor(DType::float64, {1}), QuantParams{}), std::logic_error);
  EXPECT_THROW(dequantize(Tensor(DType::float32, {1}), QuantParams{}), InputError);
  EXPECT_THROW(dequantize(Tensor(DType::int64, {1}), QuantParams{}), InputError);
}

TEST(ToInt32, WidensEveryIntegerType) {
  EXPECT_THAT(to_int32(Tensor::from<std::int8_t>({2}, std::vector<std::int8_t>{-128, 127})),
              ElementsAre(-128, 127));
  EXPECT_THAT(to_int32(Tensor::from<std::uint8_t>({1}, std::vector<std::uint8_t>{255})), ElementsAre(255));
  EXPECT_THAT(to_int32(Tensor::from<std::int16_t>({1}, std::vector<std::int16_t>{-32768})),
              ElementsAre(-32768));
  EXPECT_THAT(to_int32(Tensor::from<std::uint16_t>({1}, std::vector<std::uint16_t>{65535})),
              ElementsAre(65535));
  EXPECT_THAT(to_int32(Tensor::from<std::int32_t>({1}, std::vector<std::int32_t>{INT32_MIN})),
              ElementsAre(INT32_MIN));
  for (DType dtype : {DType::float32, DType::float64, DType::int64})
    EXPECT_THROW(to_int32(Tensor(dtype, {1})), InputError) << name_of(dtype);
}

TEST(FromInt32, ValuesMustFit) {
  const auto narrow = [](std::int32_t value, DType dtype) {
    return from_int32({1}, std::vector{value}, dtype);
  };
  for (DType dtype : {DType::int8, DType::uint8, DType::int16, DType::uint16, DType::int32}) {
    const bool is_signed = dtype == DType::int8 || dtype == DType::int16 || dtype == DType::int32;
    const auto bits = static_cast<int>(8 * size_of(dtype));
    const std::int64_t lo = is_signed ? -(std::int64_t{1} << (bits - 1)) : 0;
    const std::int64_t hi = (std::int64_t{1} << (bits - (is_signed ? 1 : 0))) - 1;
    for (std::int64_t fitting : {lo, hi})
      EXPECT_THAT(to_int32(narrow(static_cast<std::int32_t>(fitting), dtype)), ElementsAre(fitting));
    if (dtype == DType::int32) continue;
    for (std::int64_t beyond : {lo - 1, hi + 1, hi + 256, hi + 65536})
      EXPECT_THROW(narrow(static_cast<std::int32_t>(beyond), dtype), std::logic_error) << beyond;
  }
  EXPECT_THROW(from_int32({2}, std::vector{1}, DType::int8), std::logic_error);
}

}  // namespace
}  // namespace halftone::numeric
