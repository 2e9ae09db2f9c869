// Loops over bytes on every instruction set of this machine against a scalar formula.
#include "halftone/kernels/bytes/bytes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "halftone/numeric/affine.h"

namespace halftone::kernels {
namespace {

class BytesOn : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!is_supported(GetParam())) GTEST_SKIP() << "skipped: this machine has no " << name_of(GetParam());
  }
  const ByteLoops& loops() const { return byte_loops(GetParam()); }
  std::vector<std::uint8_t> random_bytes(std::size_t count) {
    std::vector<std::uint8_t> bytes(count);
    for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random_());
    return bytes;
  }
  std::mt19937 random_{7};
};

// Ties, both ends, infinities; planes side by side.
TEST_P(BytesOn, QuantizeIsTheOneDivisionOfTheArithmetic) {
  const numeric::IntegerFormat format{8, false, false};
  for (std::int64_t planes : {1, 2, 3, 4, 5, 17})
    for (std::int64_t count : {1, 15, 16, 17, 40}) {
      const QuantizeRule rule{0.37F, 93, 4, 250};
      std::vector<float> x(static_cast<std::size_t>(planes * (count + 3)));
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = (static_cast<float>(random_() % 801U) - 400.0F) * 0.185F;  // every other one is a tie
      x[0] = std::numeric_limits<float>::infinity();
      x.back() = -std::numeric_limits<float>::infinity();
      std::vector<std::uint8_t> y(static_cast<std::size_t>(planes * count) + 8, 171);
      ASSERT_TRUE(loops().quantize(x.data(), count + 3, planes, count, y.data(), rule));
      for (std::int64_t p = 0; p < planes; ++p)
        for (std::int64_t i = 0; i < count; ++i) {
          const std::int32_t q = numeric::quantize(x[static_cast<std::size_t>(p * (count + 3) + i)], {rule.scale, rule.zero_point}, format);
          ASSERT_EQ(y[static_cast<std::size_t>(i * planes + p)], std::clamp(q, rule.lo, rule.hi)) << planes << " " << count << " " << p << " " << i;
        }
      for (std::size_t i = static_cast<std::size_t>(planes * count); i < y.size(); ++i) ASSERT_EQ(y[i], 171);
    }
}

// Quotients next to ties, where a product with 1/scale rounds otherwise; scales whose inverse is no normal number.
TEST_P(BytesOn, QuantizeNextToTiesAndWithAnyScale) {
  const numeric::IntegerFormat format{8, false, false};
  for (float scale : {0.1F, 0.37F, 1.0F / 3, 0.0078431F, 7e-39F, 1e-45F, 3e38F, 2.5e38F, 1e30F}) {
    const QuantizeRule rule{scale, 128, 0, 255};
    std::vector<float> x;
    for (int half = -280; half <= 280; ++half)
      for (int ulps = -3; ulps <= 3; ++ulps) {
        float v = (static_cast<float>(half) + 0.5F) * scale;
        for (int k = 0; k < std::abs(ulps); ++k) v = std::nextafter(v, ulps < 0 ? -INFINITY : INFINITY);
        x.push_back(v);
      }
    std::vector<std::uint8_t> y(x.size());
    ASSERT_TRUE(loops().quantize(x.data(), 0, 1, static_cast<std::int64_t>(x.size()), y.data(), rule));
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], numeric::quantize(x[i], {scale, 128}, format)) << x[i] << " / " << scale;
  }
}

TEST_P(BytesOn, QuantizeTellsOfANaN) {
  for (std::int64_t planes : {1, 3, 6})
    for (std::size_t at : {std::size_t{0}, std::size_t{18}}) {
      std::vector<float> x(static_cast<std::size_t>(19 * planes), 1.0F);
      x[at + 19 * static_cast<std::size_t>(planes - 1)] = std::numeric_limits<float>::quiet_NaN();
      std::vector<std::uint8_t> y(x.size());
      EXPECT_FALSE(loops().quantize(x.data(), 19, planes, 19, y.data(), {}));
    }
}

TEST_P(BytesOn, AddIsItsRule) {
  for (const AddRule& rule : {AddRule{1234567890, 987654321, -77777777777, 33, 0, 255}, AddRule{-1234567890, 2147450000, 1LL << 40, 34, 3, 200},
                              AddRule{65536, 65536, 32768, 16, 0, 255}, AddRule{1, -1, 0, 16, 0, 255}}) {
    ASSERT_TRUE(rule.is_supported());
    for (std::size_t count : {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65}, std::size_t{1000}}) {
      const std::vector<std::uint8_t> a = random_bytes(count);
      const std::vector<std::uint8_t> b = random_bytes(count);
      std::vector<std::uint8_t> y(count + 4, 171);
      loops().add(a.data(), b.data(), y.data(), static_cast<std::int64_t>(count), rule);
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(y[i], rule(a[i], b[i])) << i;
      for (std::size_t i = count; i < y.size(); ++i) ASSERT_EQ(y[i], 171);
    }
  }
}

TEST_P(BytesOn, LargestOfWindows) {
  for (std::int64_t channels : {1, 6, 15, 16, 31, 40, 64, 100})
    for (std::int64_t pixels : {1, 2, 9})
      for (std::int64_t taps = 0; taps < 6; ++taps) {
        const std::ptrdiff_t x_pixel = channels + 3;
        const std::ptrdiff_t y_pixel = channels + (taps % 2) * 2;
        std::vector<std::ptrdiff_t> places;
        for (std::int64_t t = 0; t < taps; ++t) places.push_back((t * 7 % 5) * x_pixel);
        const std::vector<std::uint8_t> x = random_bytes(static_cast<std::size_t>((pixels + 5) * x_pixel + 15));
        std::vector<std::uint8_t> y(static_cast<std::size_t>(pixels * y_pixel + 40), 171);
        std::vector<std::uint8_t> expected = y;
        for (std::int64_t p = 0; p < pixels; ++p)
          for (std::int64_t c = 0; c < channels; ++c) {
            std::uint8_t& most = expected[static_cast<std::size_t>(p * y_pixel + c)] = 0;
            for (std::ptrdiff_t tap : places) most = std::max(most, x[static_cast<std::size_t>(p * x_pixel + tap + c)]);
          }
        loops().largest({x.data(), x_pixel, places.data(), taps, pixels, channels, y.data(), y_pixel});
        ASSERT_EQ(y, expected) << channels << " " << pixels << " " << taps;
      }
}

TEST_P(BytesOn, SumsOfPixels) {
  for (std::int64_t channels : {1, 7, 8, 16, 17, 100})
    for (std::int64_t pixels : {0, 1, 3, 50}) {
      const std::ptrdiff_t x_pixel = channels + 5;
      const std::vector<std::uint8_t> x = random_bytes(static_cast<std::size_t>(pixels * x_pixel + 1));
      std::vector<std::int32_t> sums(static_cast<std::size_t>(channels) + 2, -1000);
      std::vector<std::int32_t> expected = sums;
      for (std::int64_t p = 0; p < pixels; ++p)
        for (std::int64_t c = 0; c < channels; ++c) expected[static_cast<std::size_t>(c)] += x[static_cast<std::size_t>(p * x_pixel + c)];
      loops().sum(x.data(), x_pixel, pixels, channels, sums.data());
      ASSERT_EQ(sums, expected);
    }
}

TEST_P(BytesOn, LooksUp) {
  const std::vector<std::uint8_t> table = random_bytes(256);
  for (std::size_t count : {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{300}}) {
    const std::vector<std::uint8_t> x = random_bytes(count);
    std::vector<std::uint8_t> y(count + 4, 171);
    loops().look_up(table.data(), x.data(), y.data(), static_cast<std::int64_t>(count));
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(y[i], table[x[i]]);
    for (std::size_t i = count; i < y.size(); ++i) ASSERT_EQ(y[i], 171);
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, BytesOn, testing::Values(Isa::generic, Isa::avx2, Isa::avx512_vnni),
                         [](const testing::TestParamInfo<Isa>& each) { return std::string(name_of(each.param)); });

}  // namespace
}  // namespace halftone::kernels
