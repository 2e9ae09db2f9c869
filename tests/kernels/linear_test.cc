// Layers on every instruction set of this machine against a scalar formula: sizes around every tile and panel, all modes of
// requantization and rounding, ties, extremes.
#include "halftone/kernels/linear/linear.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <random>

#include "halftone/base/error.h"
#include "halftone/kernels/depthwise/depthwise.h"
#include "halftone/kernels/linear/neighbours.h"

namespace halftone::kernels {
namespace {

__extension__ typedef __int128 Wide;
using numeric::Rounding;

// clamp(round(acc·m·2^−shift) + z), written from docs/arithmetic.md section 2 alone.
int expected_integer(std::int64_t acc, std::int64_t m, int shift, Rounding rounding, const numeric::OutputBounds& bounds) {
  const Wide product = Wide{acc} * m;
  Wide y = shift <= 0 ? product << std::min(-shift, 60) : product >> shift;
  if (shift > 0 && rounding != Rounding::floor) {
    const Wide rest = product - (y << shift);
    const Wide half = Wide{1} << (shift - 1);
    const bool tie = rest == half;
    const bool tie_up = rounding == Rounding::half_even ? (y & 1) != 0 : rounding == Rounding::half_away ? product >= 0 : true;
    if (rest > half || (tie && tie_up)) ++y;
  }
  y += bounds.zero_point;
  return y < bounds.lo ? bounds.lo : y > bounds.hi ? bounds.hi : static_cast<int>(y);
}

struct Case {
  std::int64_t channels = 1;
  std::int64_t taps = 1;
  std::int64_t depth = 1;
  std::int64_t pixels = 1;
  Rounding rounding = Rounding::half_even;
  bool real = false;
  int ties = 0;  // m of few bits, so that there are some
  int stride = 0;  // taps are the pixels of windows three wide, so many pixels apart; 0: they lie anywhere
  Stored x = Stored::bytes;
  Stored y = Stored::bytes;
  bool neighbours = false;  // whether the packer knows how far pixels lie apart
  bool range = false;       // all taps but the first and the last, of a bias of their own
  int bits = 8;  // of weights, where x is bytes
};

void store(std::vector<std::uint8_t>& to, std::ptrdiff_t at, Stored stored, int value) {
  const auto word = static_cast<std::int16_t>(value);
  if (stored == Stored::words)
    std::memcpy(&to.at(static_cast<std::size_t>(at)), &word, sizeof(word));
  else
    to.at(static_cast<std::size_t>(at)) = static_cast<std::uint8_t>(value);
}

int load(const std::vector<std::uint8_t>& from, std::ptrdiff_t at, Stored stored) {
  std::int16_t word = 0;
  if (stored == Stored::bytes) return from.at(static_cast<std::size_t>(at));
  std::memcpy(&word, &from.at(static_cast<std::size_t>(at)), sizeof(word));
  return word;
}

class Layer {
 public:
  Layer(const Case& c, std::uint32_t seed) : case_(c), random_(seed) {
    const bool words = c.x == Stored::words;
    const std::int64_t most = words ? std::min<std::int64_t>(32768, (INT32_MAX - 5000) / (c.taps * c.depth * 32768)) : 1 << (c.bits - 1);
    for (std::int64_t i = 0; i < c.channels * c.taps * c.depth; ++i) w_.push_back(static_cast<std::int16_t>(draw(-most, most - 1)));
    reach_ = c.taps * c.depth * most * (words ? 32768 : 255);
    for (std::int64_t m = 0; m < c.channels; ++m) {
      bias_.push_back(static_cast<std::int32_t>(draw(-5000, 5000)));
      bound_.push_back(reach_ + 5000);
      set_scaling();
    }
    if (c.range) ranges_.push_back({1, c.taps - 2, bias_});
    if (c.range) std::ranges::transform(ranges_[0].bias, ranges_[0].bias.begin(), [](std::int32_t b) { return 3 * b + 7; });
    requantization_.rounding = c.rounding;
    requantization_.bounds = {static_cast<std::int32_t>(draw(0, 255)), static_cast<std::int32_t>(draw(0, 20)),
                              static_cast<std::int32_t>(draw(200, 255))};
    if (c.y == Stored::words)
      requantization_.bounds = {static_cast<std::int32_t>(draw(-32768, 32767)), static_cast<std::int32_t>(draw(-32768, -32000)),
                                static_cast<std::int32_t>(draw(32000, 32767))};
    const auto column = static_cast<std::ptrdiff_t>(c.depth + draw(0, 3)) * size_of(c.x);
    x_pixel_ = std::max(1, c.stride) * column;
    const std::ptrdiff_t row = c.pixels * x_pixel_ + 2 * column;
    for (std::int64_t t = 0; t < c.taps; ++t) taps_.push_back(c.stride > 0 ? t / 3 * row + t % 3 * column : t * (c.depth + 5) * size_of(c.x));
    x_.resize(static_cast<std::size_t>(c.pixels * x_pixel_ + taps_.back() + c.depth * size_of(c.x) + kReadBehind + 1) / 2 * 2);
    for (std::ptrdiff_t at = 0; at < std::ssize(x_); at += size_of(c.x))
      store(x_, at, c.x, static_cast<int>(words ? (draw(0, 9) == 0 ? -32768 : draw(-32768, 32767)) : draw(0, 9) == 0 ? 255 : draw(0, 255)));
  }

  // Runs every panel; bytes around the output have to stay.
  void expect_equal(Isa isa) const {
    expect_equal(isa, *pack_linear(isa, {case_.channels, case_.taps, case_.depth, w_, bias_, bound_, ranges_, case_.x, case_.y, case_.neighbours ? x_pixel_ : 0}, requantization_),
                 [this](std::int64_t p, std::int64_t m) { return integer(sum(p, m), m); });
  }
  // The same numbers as a layer in which each channel has a window of its own.
  void expect_equal_depthwise(Isa isa) const {
    expect_equal(isa, *pack_depthwise(isa, {case_.channels, case_.taps, 1, w_, bias_, bound_}, requantization_),
                 [this](std::int64_t p, std::int64_t m) { return integer(depthwise_sum(p, m), m); });
  }

 private:
  template <typename Expected>
  void expect_equal(Isa isa, const Linear& linear, const Expected& expected_at) const {
    const std::int64_t pitch = (case_.channels + (case_.pixels % 2 == 0 || case_.neighbours ? 0 : 7)) * size_of(case_.y);
    std::vector<std::uint8_t> y(static_cast<std::size_t>(case_.pixels * pitch + 64), 171);
    const LinearRun run{x_.data(), x_pixel_, taps_.data(), case_.pixels, y.data() + 32, pitch, case_.range ? 0 : -1};
    for (std::int64_t panel = 0; panel < linear.panels(); ++panel) linear.run(run, panel);
    std::vector<std::uint8_t> expected(y.size(), 171);
    for (std::int64_t p = 0; p < case_.pixels; ++p)
      for (std::int64_t m = 0; m < case_.channels; ++m) store(expected, 32 + p * pitch + m * size_of(case_.y), case_.y, expected_at(p, m));
    ASSERT_EQ(y, expected) << name_of(isa) << " M " << case_.channels << " T " << case_.taps << " K " << case_.depth << " pixels "
                           << case_.pixels << " rounding " << numeric::name_of(case_.rounding);
  }

  std::int64_t draw(std::int64_t lo, std::int64_t hi) { return std::uniform_int_distribution<std::int64_t>(lo, hi)(random_); }

  void set_scaling() {
    const bool words = case_.y == Stored::words;
    if (case_.real) {
      requantization_.M.push_back(static_cast<float>((words ? 50000.0 : 400.0) / static_cast<double>(reach_) * (0.2 + static_cast<double>(draw(0, 100)) / 30)));
    } else if (case_.ties > 0) {  // m = 1 and 3: shifts
      requantization_.m.push_back(draw(0, 1) * 2 + 1);
      requantization_.shift.push_back(static_cast<int>(draw(case_.ties == 1 ? 1 : -2, 18)));
    } else {
      requantization_.m.push_back(draw(std::int64_t{1} << 30, INT32_MAX));
      const int all = words ? 16 + std::bit_width(static_cast<std::uint64_t>(reach_)) : 28;  // bits that leave the largest sum
      requantization_.shift.push_back(static_cast<int>(draw(all, words ? all + 8 : 50)));
    }
  }

  int x_at(std::int64_t p, std::int64_t t, std::int64_t k) const {
    return load(x_, p * x_pixel_ + taps_[static_cast<std::size_t>(t)] + k * size_of(case_.x), case_.x);
  }

  std::int64_t depthwise_sum(std::int64_t p, std::int64_t m) const {
    std::int64_t acc = bias_[static_cast<std::size_t>(m)];
    for (std::int64_t t = 0; t < case_.taps; ++t)
      acc += std::int64_t{x_at(p, t, m)} * w_[static_cast<std::size_t>(m * case_.taps + t)];
    return acc;
  }

  std::int64_t sum(std::int64_t p, std::int64_t m) const {
    std::int64_t acc = (case_.range ? ranges_[0].bias : bias_)[static_cast<std::size_t>(m)];
    for (std::int64_t t = case_.range ? 1 : 0; t < case_.taps - (case_.range ? 1 : 0); ++t)
      for (std::int64_t k = 0; k < case_.depth; ++k)
        acc += std::int64_t{x_at(p, t, k)} * w_[static_cast<std::size_t>((m * case_.taps + t) * case_.depth + k)];
    return acc;
  }

  int integer(std::int64_t acc, std::int64_t m) const {
    const auto c = static_cast<std::size_t>(m);
    if (!case_.real) return expected_integer(acc, requantization_.m[c], requantization_.shift[c], case_.rounding, requantization_.bounds);
    const double y = std::nearbyint(static_cast<double>(static_cast<float>(acc) * requantization_.M[c])) + requantization_.bounds.zero_point;
    return static_cast<int>(std::clamp<double>(y, requantization_.bounds.lo, requantization_.bounds.hi));
  }

  Case case_;
  std::mt19937 random_;
  std::vector<std::int16_t> w_;
  std::int64_t reach_ = 0;  // of a sum
  std::vector<std::int32_t> bias_;
  std::vector<std::int64_t> bound_;
  std::vector<TapRange> ranges_;
  Requantization requantization_;
  std::vector<std::ptrdiff_t> taps_;
  std::ptrdiff_t x_pixel_ = 0;
  std::vector<std::uint8_t> x_;
};

// How x and y are stored.
constexpr std::pair<Stored, Stored> kForms[] = {{Stored::bytes, Stored::bytes}, {Stored::words, Stored::words}, {Stored::bytes, Stored::words}, {Stored::words, Stored::bytes}};

class LinearOn : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!is_supported(GetParam())) GTEST_SKIP() << "skipped: this machine has no " << name_of(GetParam());
  }
};

TEST_P(LinearOn, PanelsAndTilesOfEverySize) {
  std::uint32_t seed = 1;
  for (std::int64_t channels : {1, 2, 10, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 80, 96, 128, 130})
    for (std::int64_t pixels : {1, 2, 3, 7, 8, 10, 13, 14, 24, 25, 28, 29, 57})
      for (const auto& [x, y] : kForms)
        Layer({.channels = channels, .taps = seed % 3 + 1, .depth = seed % 11 + 1, .pixels = pixels, .x = x, .y = y}, seed++).expect_equal(GetParam());
}

TEST_P(LinearOn, EveryRoundingWithTiesAndWithout) {
  std::uint32_t seed = 1000;
  for (Rounding rounding : {Rounding::half_even, Rounding::half_away, Rounding::half_up, Rounding::floor})
    for (std::int64_t channels : {3, 20, 40, 64, 100})
      for (int ties : {0, 1, 2})
        for (const auto& [x, y] : kForms)
          Layer({.channels = channels, .taps = 2, .depth = 9, .pixels = 11, .rounding = rounding, .ties = ties, .x = x, .y = y}, seed++).expect_equal(GetParam());
}

// Pixels that are taken together, and those of a row that are left.
TEST_P(LinearOn, FewChannelsWhosePixelsAreTakenTogether) {
  std::uint32_t seed = 9000;
  for (std::int64_t channels : {1, 2, 3, 6, 7, 16})
    for (std::int64_t depth : {1, 3, 5})
      for (std::int64_t pixels : {1, 2, 4, 7, 28, 61})
        for (Stored x : {Stored::bytes, Stored::words})
          for (int stride : {1, 2}) {
            Layer({.channels = channels, .taps = 5, .depth = depth, .pixels = pixels, .ties = static_cast<int>(seed % 3), .stride = stride, .x = x,
                   .y = seed % 2 == 0 ? Stored::bytes : Stored::words, .neighbours = true}, seed)
                .expect_equal(GetParam());
            ++seed;
          }
}

TEST(NeighboursTogether, FillsRegisters) {
  EXPECT_EQ(neighbours_together({.channels = 6, .taps = 5, .depth = 15, .x_pixel = 3}), 2);
  EXPECT_EQ(neighbours_together({.channels = 6, .taps = 5, .depth = 5, .x_pixel = 1}), 4);
  EXPECT_EQ(neighbours_together({.channels = 64, .taps = 5, .depth = 5, .x_pixel = 1}), 1);
  EXPECT_EQ(neighbours_together({.channels = 6, .taps = 5, .depth = 15}), 1);
}

// Runs that leave taps out, of few channels and of weights of 4 bits.
TEST_P(LinearOn, RangesOfTapsInEveryForm) {
  std::uint32_t seed = 12000;
  for (std::int64_t channels : {3, 16, 40, 64, 130})
    for (std::int64_t depth : {3, 64, 70})
      for (int bits : {4, 8})
        for (std::int64_t pixels : {1, 6, 29}) {
          Layer({.channels = channels, .taps = 4, .depth = depth, .pixels = pixels, .ties = static_cast<int>(seed % 3), .stride = 1,
                 .neighbours = seed % 2 == 0, .range = true, .bits = bits}, seed).expect_equal(GetParam());
          ++seed;
        }
}

TEST_P(LinearOn, AWindowForEachChannel) {
  std::uint32_t seed = 4000;
  for (std::int64_t channels : {1, 3, 16, 63, 64, 65, 130})
    for (std::int64_t taps : {1, 4, 9, 25, 129}) {
      const Rounding rounding = seed % 2 == 0 ? Rounding::half_even : Rounding::half_away;
      Layer({.channels = channels, .taps = taps, .depth = channels, .pixels = seed % 17 + 1, .rounding = rounding, .ties = static_cast<int>(seed % 3)}, seed)
          .expect_equal_depthwise(GetParam());
      ++seed;
    }
  for (std::int64_t channels : {1, 8, 16, 24, 40, 80, 96, 144})
    for (std::int64_t taps : {3, 9, 9, 15})
      for (std::int64_t pixels : {1, 2, 31, 32, 33, 70}) {
        Layer({.channels = channels, .taps = taps, .depth = channels, .pixels = pixels, .ties = static_cast<int>(seed % 3), .stride = static_cast<int>(seed % 4)}, seed)
            .expect_equal_depthwise(GetParam());
        ++seed;
      }
}

// `times` one after another.
template <typename T>
std::vector<T> repeated(const std::vector<T>& all, int times) {
  std::vector<T> result;
  for (int i = 0; i < times; ++i) result.insert(result.end(), all.begin(), all.end());
  return result;
}

// Runs that leave taps out add what their bias says instead.
TEST_P(LinearOn, RangesOfTaps) {
  for (int times : {1, 50})
    for (std::int16_t last : {-6, -9}) {
      const std::vector<std::int16_t> w = repeated<std::int16_t>({1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, last}, times);  // [2·times][3][2]
      const std::vector<std::int32_t> bias = repeated<std::int32_t>({10, 20}, times);
      const std::vector<std::int64_t> bound = repeated<std::int64_t>({10000, 10000}, times);
      const std::vector<TapRange> ranges{{1, 2, repeated<std::int32_t>({100, 120}, times)}, {0, 1, repeated<std::int32_t>({7, 200}, times)}};
      const Requantization end{.m = repeated<std::int64_t>({1 << 30, 1 << 30}, times), .shift = repeated<int>({30, 30}, times), .M = {}, .bounds = {0, 0, 255}};
      const auto linear = pack_linear(GetParam(), {2 * times, 3, 2, w, bias, bound, ranges}, end);
      std::vector<std::uint8_t> x{1, 2, 3, 4, 5, 6};
      x.resize(x.size() + kReadBehind);
      const std::vector<std::ptrdiff_t> taps{0, 2, 4};
      const auto expect = [&](std::int64_t range, std::uint8_t a, int b) {
        std::vector<std::uint8_t> y(static_cast<std::size_t>(2 * times));
        for (std::int64_t panel = 0; panel < linear->panels(); ++panel)
          linear->run({.x = x.data(), .x_pixel = 2, .taps = taps.data(), .pixels = 1, .y = y.data(), .y_pixel = 2 * times, .range = range}, panel);
        EXPECT_EQ(y, repeated<std::uint8_t>({a, static_cast<std::uint8_t>(std::max(0, b))}, times)) << "range " << range;
      };
      expect(-1, 10 + 91, 0);
      expect(0, 100 + 86, 120 - 50 + 6 * last);
      expect(1, 7 + 5, 200 - 5);
    }
}

// Weights of 4 bits may be stored in so many, whatever the end of a layer takes.
TEST_P(LinearOn, WeightsOf4Bits) {
  std::uint32_t seed = 5000;
  for (std::int64_t channels : {20, 63, 64, 65, 128, 200})
    for (std::int64_t pixels : {1, 2, 3, 4, 5, 6, 7, 13, 29})
      for (std::int64_t depth : {1, 9, 63, 64, 65, 72, 100}) {
        Layer({.channels = channels, .taps = seed % 3 + 1, .depth = depth, .pixels = pixels, .rounding = static_cast<Rounding>(seed % 4), .real = seed % 5 == 0,
               .ties = static_cast<int>(seed % 3), .y = seed % 7 == 0 ? Stored::words : Stored::bytes, .bits = 4}, seed).expect_equal(GetParam());
        ++seed;
      }
}

// Sums that fit 32 bits just so when they are 16 times as large, or do not; shifts likewise.
TEST_P(LinearOn, WeightsOf4BitsAtTheirLimits) {
  std::vector<std::int16_t> row(64, 7);
  std::fill_n(row.begin(), 32, std::int16_t{-8});
  const std::vector<std::int16_t> w = repeated(row, 64);
  const std::vector<std::uint8_t> x(64 + kReadBehind, 255);
  const std::ptrdiff_t tap = 0;
  const std::int32_t most = INT32_MAX / 16;
  for (std::int32_t sum : {most, -most, most + 1, -most - 1})
    for (int shift : {22, 51, 58, 59, 62})
      for (float M : {0.0F, 0x1.8p-20F}) {
        const std::vector<std::int32_t> bias(64, sum + 32 * 255);
        const std::vector<std::int64_t> bound(64, std::abs(sum));
        Requantization end{.m = std::vector<std::int64_t>(64, INT32_MAX), .shift = std::vector<int>(64, shift), .M = {}, .bounds = {100, 0, 255}};
        if (M > 0) end.M.assign(64, M);
        const auto linear = pack_linear(GetParam(), {64, 1, 64, w, bias, bound}, end);
        const bool fits = std::abs(sum) <= most && shift <= 58;
        EXPECT_EQ(linear->weight_bits() == 4, GetParam() == Isa::avx2 || (fits && GetParam() == Isa::avx512_vnni));
        std::vector<std::uint8_t> y(64);
        for (std::int64_t panel = 0; panel < linear->panels(); ++panel) linear->run({.x = x.data(), .taps = &tap, .pixels = 1, .y = y.data()}, panel);
        EXPECT_EQ(y, std::vector<std::uint8_t>(64, static_cast<std::uint8_t>(end(sum, 0)))) << sum << " " << shift << " " << M;
      }
}

TEST_P(LinearOn, Float32Products) {
  std::uint32_t seed = 2000;
  for (std::int64_t channels : {1, 16, 30, 64, 70})
    for (const auto& [x, y] : kForms)
      Layer({.channels = channels, .taps = 1, .depth = 33, .pixels = 9, .real = true, .x = x, .y = y}, seed++).expect_equal(GetParam());
}

TEST_P(LinearOn, LongSums) {
  for (const auto& [x, y] : kForms) {
    Layer({.channels = 70, .taps = 9, .depth = 512, .pixels = 5, .x = x, .y = y}, 3000).expect_equal(GetParam());
    Layer({.channels = 5, .taps = 1, .depth = 4097, .pixels = 3, .x = x, .y = y}, 3001).expect_equal(GetParam());
  }
}

// Two products of −32,768 by itself are 2^31: sums wrap, and the last one fits again.
TEST_P(LinearOn, SumsOfWordsThatWrap) {
  const std::vector<std::int16_t> w{-32768, -32768, 32767, 32767};
  const std::vector<std::int32_t> bias{-65536 + 7};
  const std::vector<std::int64_t> bound{1000};
  const Requantization end{.m = {1 << 30}, .shift = {30}, .M = {}, .bounds = {0, -32768, 32767}};
  const auto linear = pack_linear(GetParam(), {1, 1, 4, w, bias, bound, {}, Stored::words, Stored::words}, end);
  const std::vector<std::int16_t> x(16, -32768);
  const std::ptrdiff_t tap = 0;
  std::int16_t y = 0;
  linear->run({.x = reinterpret_cast<const std::uint8_t*>(x.data()), .taps = &tap, .pixels = 1, .y = reinterpret_cast<std::uint8_t*>(&y)}, 0);
  EXPECT_EQ(y, 7);
}

INSTANTIATE_TEST_SUITE_P(Isas, LinearOn, testing::Values(Isa::generic, Isa::avx2, Isa::avx512_vnni),
                         [](const testing::TestParamInfo<Isa>& each) { return std::string(name_of(each.param)); });

TEST(Isa, NamesComeBackAndOthersAreRefused) {
  for (Isa isa : supported_isas()) EXPECT_EQ(isa_from(name_of(isa)), isa);
  EXPECT_EQ(supported_isas().front(), Isa::generic);
  EXPECT_THROW(isa_from("sse9"), UsageError);
}

TEST(Requantization, TiesAreFoundWhereThereAreAny) {
  EXPECT_FALSE(is_free_of_ties(1, 1, 1));               // 1/2
  EXPECT_TRUE(is_free_of_ties(1, 4, 7));                // 8/16 is the first
  EXPECT_FALSE(is_free_of_ties(1, 4, 8));
  EXPECT_TRUE(is_free_of_ties(4, 2, 1000));             // a whole number always
  EXPECT_FALSE(is_free_of_ties(std::int64_t{1} << 30, 40, 512));
  EXPECT_TRUE(is_free_of_ties((std::int64_t{1} << 30) + 1, 40, 1 << 30));
}

}  // namespace
}  // namespace halftone::kernels
