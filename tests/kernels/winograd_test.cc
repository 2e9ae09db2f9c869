// Four outputs at a time against the plain sum, on instruction sets that have it: odd rows and columns, extremes, many channels.
#include "halftone/kernels/winograd/winograd.h"

#include <gtest/gtest.h>

#include <random>

namespace halftone::kernels {
namespace {

struct Case {
  std::int64_t channels = 16;
  std::int64_t depth = 16;
  std::int64_t rows = 2;
  std::int64_t pixels = 8;
  bool extreme = false;  // bytes and weights at their ends
};

class Layer {
 public:
  Layer(const Case& c, std::uint32_t seed) : case_(c), random_(seed) {
    const auto one_of = [&](std::int64_t lo, std::int64_t hi) { return draw(0, 1) == 0 ? lo : hi; };
    for (std::int64_t i = 0; i < c.channels * 9 * c.depth; ++i) w_.push_back(static_cast<std::int16_t>(c.extreme ? one_of(-128, 127) : draw(-128, 127)));
    for (std::int64_t m = 0; m < c.channels; ++m) {
      bias_.push_back(static_cast<std::int32_t>(draw(-5000, 5000)));
      bound_.push_back(c.depth * 9 * 255 * 128 + 5000);
      end_.m.push_back(draw(std::int64_t{1} << 30, INT32_MAX));
      end_.shift.push_back(static_cast<int>(draw(40, 44)));
    }
    end_.bounds = {static_cast<std::int32_t>(draw(0, 255)), 0, 255};
    x_row_ = (c.pixels + 2) * c.depth;
    x_.resize(static_cast<std::size_t>((c.rows + 2) * x_row_));
    for (std::uint8_t& v : x_) v = static_cast<std::uint8_t>(c.extreme ? one_of(0, 255) : draw(0, 255));
  }

  void expect_equal(Isa isa) const {
    const auto winograd = pack_winograd(isa, {case_.channels, 3, 3 * case_.depth, w_, bias_, bound_}, end_);
    ASSERT_NE(winograd, nullptr);
    const std::int64_t pitch = case_.channels + 5;
    std::vector<std::uint8_t> y(static_cast<std::size_t>(2 * case_.pixels * pitch), 171);
    std::vector<std::uint8_t> expected = y;
    const WinogradRun run{x_.data(), x_row_, case_.depth, case_.rows, case_.pixels, y.data(), case_.pixels * pitch, pitch};
    for (std::int64_t panel = 0; panel < winograd->panels(); ++panel) winograd->run(run, panel);
    for (std::int64_t r = 0; r < case_.rows; ++r)
      for (std::int64_t p = 0; p < case_.pixels; ++p)
        for (std::int64_t m = 0; m < case_.channels; ++m)
          expected[static_cast<std::size_t>((r * case_.pixels + p) * pitch + m)] = static_cast<std::uint8_t>(end_(sum(r, p, m), static_cast<std::size_t>(m)));
    ASSERT_EQ(y, expected) << "M " << case_.channels << " K " << case_.depth << " rows " << case_.rows << " pixels " << case_.pixels;
  }

 private:
  std::int64_t draw(std::int64_t lo, std::int64_t hi) { return std::uniform_int_distribution<std::int64_t>(lo, hi)(random_); }

  std::int64_t sum(std::int64_t r, std::int64_t p, std::int64_t m) const {
    std::int64_t acc = bias_[static_cast<std::size_t>(m)];
    for (std::int64_t i = 0; i < 3; ++i)
      for (std::int64_t k = 0; k < 3 * case_.depth; ++k)
        acc += std::int64_t{x_[static_cast<std::size_t>((r + i) * x_row_ + p * case_.depth + k)]} * w_[static_cast<std::size_t>((m * 3 + i) * 3 * case_.depth + k)];
    return acc;
  }

  Case case_;
  std::mt19937 random_;
  std::vector<std::int16_t> w_;
  std::vector<std::int32_t> bias_;
  std::vector<std::int64_t> bound_;
  Requantization end_;
  std::int64_t x_row_ = 0;
  std::vector<std::uint8_t> x_;  // no byte behind the last: none is read
};

class WinogradOn : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!is_supported(GetParam())) GTEST_SKIP() << "skipped: this machine has no " << name_of(GetParam());
  }
};

TEST_P(WinogradOn, SumsOfEverySize) {
  std::uint32_t seed = 1;
  for (std::int64_t channels : {1, 8, 16, 20, 64, 70})
    for (std::int64_t depth : {16, 32, 48})
      for (std::int64_t pixels : {1, 2, 5, 6, 7, 13, 24, 57, 60})
        Layer({.channels = channels, .depth = depth, .rows = seed % 2 + 1, .pixels = pixels}, seed++).expect_equal(GetParam());
}

TEST_P(WinogradOn, ExtremesAndManyChannels) {
  std::uint32_t seed = 1000;
  for (std::int64_t depth : {16, 256, 512, 1024})
    for (std::int64_t rows : {1, 2}) Layer({.channels = 20, .depth = depth, .rows = rows, .pixels = 9, .extreme = true}, seed++).expect_equal(GetParam());
}

// Sums whose fourfold may leave 32 bits, and depths that are no multiple of 16, are left to others.
TEST_P(WinogradOn, WhatItCannotDoIsLeft) {
  const auto packs = [&](std::int64_t depth) {
    const std::vector<std::int16_t> w(static_cast<std::size_t>(9 * depth), -128);
    const std::vector<std::int32_t> bias{0};
    const std::vector<std::int64_t> bound{INT32_MAX};
    return pack_winograd(GetParam(), {1, 3, 3 * depth, w, bias, bound}, {.m = {1 << 30}, .shift = {40}, .M = {}, .bounds = {0, 0, 255}}) != nullptr;
  };
  EXPECT_TRUE(packs(1824));
  EXPECT_FALSE(packs(1840));
  EXPECT_FALSE(packs(20));
}

INSTANTIATE_TEST_SUITE_P(Isas, WinogradOn, testing::Values(Isa::avx2), [](const testing::TestParamInfo<Isa>& each) { return std::string(name_of(each.param)); });

}  // namespace
}  // namespace halftone::kernels
