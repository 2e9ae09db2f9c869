// Sums of words on every instruction set of this machine against a formula in 128 bits.
#include "halftone/kernels/words/words.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace halftone::kernels {
namespace {

__extension__ typedef __int128 Wide;
using numeric::Rounding;

class WordsOn : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!is_supported(GetParam())) GTEST_SKIP() << "skipped: this machine has no " << name_of(GetParam());
  }
  std::vector<std::int16_t> random_words(std::size_t count) {
    std::vector<std::int16_t> words(count);
    for (std::int16_t& w : words) w = static_cast<std::int16_t>(random_());
    if (count > 2) words[0] = INT16_MIN, words[2] = INT16_MAX;
    return words;
  }
  std::mt19937 random_{7};
};

// docs/arithmetic.md section 2.
std::int64_t rounded(Wide x, int shift, Rounding rounding) {
  const Wide below = x >> shift;
  const Wide twice = (x - (below << shift)) * 2;
  const Wide whole = Wide{1} << shift;
  bool up = twice > whole;
  if (twice == whole) up = rounding == Rounding::half_up || (rounding == Rounding::half_even && (below & 1) != 0) || (rounding == Rounding::half_away && x >= 0);
  return static_cast<std::int64_t>(below + (up && rounding != Rounding::floor ? 1 : 0));
}

TEST_P(WordsOn, AddIsItsRule) {
  const numeric::OutputBounds all{3, -32768, 32767};
  const numeric::OutputBounds few{-32768, -32768, -100};
  for (Rounding rounding : {Rounding::half_even, Rounding::half_away, Rounding::half_up, Rounding::floor})
    for (const SumRule& rule : {SumRule{1234567890, -987654321, -77777777777, 31, rounding, all}, SumRule{1, 1, 0, 1, rounding, all},
                                SumRule{3, -2, 5, 3, rounding, few}, SumRule{std::int64_t{1} << 40, 1, -7, 41, rounding, all}, SumRule{1, 2, 3, 62, rounding, all}})
      for (std::size_t count : {std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{9}, std::size_t{1000}}) {
        const std::vector<std::int16_t> a = random_words(count);
        const std::vector<std::int16_t> b = random_words(count);
        std::vector<std::int16_t> y(count + 4, 171);
        add_words(GetParam())(a.data(), b.data(), y.data(), static_cast<std::int64_t>(count), rule);
        for (std::size_t i = 0; i < count; ++i) {
          const Wide sum = Wide{rule.m_a} * a[i] + Wide{rule.m_b} * b[i] + rule.c;
          const std::int64_t expected = rounded(sum, rule.shift, rounding) + rule.bounds.zero_point;
          ASSERT_EQ(y[i], std::clamp<std::int64_t>(expected, rule.bounds.lo, rule.bounds.hi)) << i << " shift " << rule.shift << " " << name_of(rounding);
        }
        for (std::size_t i = count; i < y.size(); ++i) ASSERT_EQ(y[i], 171);
      }
}

INSTANTIATE_TEST_SUITE_P(Isas, WordsOn, testing::Values(Isa::generic, Isa::avx2, Isa::avx512_vnni),
                         [](const testing::TestParamInfo<Isa>& each) { return std::string(name_of(each.param)); });

}  // namespace
}  // namespace halftone::kernels
