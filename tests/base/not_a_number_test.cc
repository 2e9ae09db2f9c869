#include "halftone/base/not_a_number.h"

#include <gtest/gtest.h>

#include <cmath>

namespace halftone {
namespace {

// More than a block of those that are looked at together, and odd.
constexpr std::int64_t kMany = 3 * 4096 + 7;

TEST(NotANumber, IsFoundWhereItIs) {
  for (DType dtype : {DType::float32, DType::float64, DType::float16, DType::bfloat16})
    for (std::int64_t at : {std::int64_t{0}, std::int64_t{4095}, std::int64_t{4096}, kMany - 1}) {
      std::vector<float> values(static_cast<std::size_t>(kMany), 1.0F);
      values[static_cast<std::size_t>(at)] = INFINITY;
      const Tensor infinite = Tensor::from<float>({kMany}, values).cast(dtype);
      EXPECT_EQ(find_nan(infinite), std::nullopt) << name_of(dtype);
      EXPECT_EQ(find_not_finite(infinite), static_cast<std::size_t>(at)) << name_of(dtype);
      values[static_cast<std::size_t>(at)] = NAN;
      const Tensor nan = Tensor::from<float>({kMany}, values).cast(dtype);
      EXPECT_EQ(find_nan(nan), static_cast<std::size_t>(at)) << name_of(dtype);
      EXPECT_EQ(find_not_finite(nan), static_cast<std::size_t>(at)) << name_of(dtype);
    }
}

TEST(NotANumber, IsNoInteger) {
  EXPECT_EQ(find_nan(Tensor(DType::int32, {4})), std::nullopt);
  EXPECT_EQ(find_not_finite(Tensor(DType::boolean, {4})), std::nullopt);
  EXPECT_EQ(find_not_finite(Tensor(DType::int4, {4})), std::nullopt);
  EXPECT_EQ(find_nan(Tensor(DType::float32, {0})), std::nullopt);
}

TEST(NotANumber, IsRefusedByItsRow) {
  Tensor x(DType::float32, {4, 2, 3});
  EXPECT_NO_THROW(refuse_nan("run", "input 'x'", x));
  x.mutable_data<float>()[14] = NAN;
  try {
    refuse_nan("run", "input 'x'", x);
    FAIL();
  } catch (const NotANumber& error) {
    EXPECT_STREQ(error.what(), "[run] input 'x', element 2 of row 2, got not a number (NaN), expected a number");
    EXPECT_STREQ(error.in_rows_from(64).what(), "[run] input 'x', element 2 of row 66, got not a number (NaN), expected a number");
  }
  EXPECT_THROW(refuse_nan("run", "input 'x'", Tensor::from<float>({}, std::vector{NAN})), NotANumber);
}

}  // namespace
}  // namespace halftone
