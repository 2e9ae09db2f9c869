// Errors of channels beside their own spread.
#include "halftone/analysis/channel_error.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "tests/ir/tensors.h"

namespace halftone::analysis {
namespace {

TEST(ChannelError, OfALostChannelIsOneWhateverTheOthersAre) {
  // Channel 0 is large and exact; channel 1 alternates between 0 and 1, and has become its mean.
  const Tensor x = ir::floats({4, 2}, {600, 0, 610, 1, 620, 0, 640, 1});
  const Tensor y = ir::floats({4, 2}, {600, 0.5, 610, 0.5, 620, 0.5, 640, 0.5});
  ChannelErrors errors;
  errors.add(x, y, 4);
  const auto worst = errors.worst();
  ASSERT_TRUE(worst);
  EXPECT_EQ(worst->axis, 1U);
  EXPECT_EQ(worst->index, 1);
  EXPECT_DOUBLE_EQ(worst->relative, 1.0);
}

TEST(ChannelError, LeavesConstantChannelsOut) {
  ChannelErrors errors;
  errors.add(ir::floats({2, 2}, {7, 1, 7, 2}), ir::floats({2, 2}, {0, 1, 0, 2}), 2);
  ASSERT_TRUE(errors.worst());
  EXPECT_EQ(errors.worst()->index, 1);
  EXPECT_EQ(errors.worst()->relative, 0.0);
  ChannelErrors none;
  none.add(ir::floats({2, 1}, {7, 7}), ir::floats({2, 1}, {0, 9}), 2);
  EXPECT_FALSE(none.worst());
}

TEST(ChannelError, LooksAtTheLastOfThreeDimensionsToo) {
  Tensor x(DType::float32, {2, 3, 5});
  auto numbers = x.mutable_data<float>();
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i * i % 11);
  Tensor y = x;
  for (std::size_t i = 4; i < numbers.size(); i += 5) y.mutable_data<float>()[i] = 0.0F;
  ChannelErrors errors;
  errors.add(x, y, 2);
  ASSERT_TRUE(errors.worst());
  EXPECT_EQ(errors.worst()->axis, 2U);
  EXPECT_EQ(errors.worst()->index, 4);
}

TEST(ChannelError, CountsOnlyTheRowsThatAreTheBatchsOwn) {
  ChannelErrors errors;
  errors.add(ir::floats({3, 1}, {1, 2, 3}), ir::floats({3, 1}, {1, 2, 99}), 2);
  EXPECT_EQ(errors.worst()->relative, 0.0);
}

TEST(ChannelError, OfNothingIsNone) {
  ChannelErrors errors;
  EXPECT_FALSE(errors.worst());
  errors.add(Tensor(DType::float32, {0, 3}), Tensor(DType::float32, {0, 3}), 0);
  errors.add(ir::floats({}, {1}), ir::floats({}, {2}), 1);
  EXPECT_FALSE(errors.worst());
}

// The error of each channel is that of its numbers alone, however the rows are cut into batches.
RC_GTEST_PROP(ChannelError, IsThatOfTheChannelAlone, ()) {
  const auto rows = *rc::gen::inRange<std::int64_t>(1, 6);
  const auto channels = *rc::gen::inRange<std::int64_t>(1, 5);
  const auto inner = *rc::gen::inRange<std::int64_t>(1, 4);
  const auto seed = *rc::gen::inRange<std::uint32_t>(1, 1000);
  const Tensor x = ir::random_floats({rows, channels, inner, 1}, seed);
  const Tensor y = ir::random_floats({rows, channels, inner, 1}, seed + 1);
  ChannelErrors whole;
  whole.add(x, y, rows);
  ChannelErrors parts;
  for (std::int64_t n = 0; n < rows; ++n) {
    ChannelErrors row;
    row.add(x.rows(n, n + 1), y.rows(n, n + 1), 1);
    parts.add(row);
  }
  double worst = -1.0;
  for (std::int64_t c = 0; c < channels; ++c) {
    double sum = 0.0, squares = 0.0, error = 0.0, n = 0.0;
    for (std::int64_t i = 0; i < x.size(); ++i) {
      if (i / inner % channels != c) continue;
      const double a = x.data<float>()[static_cast<std::size_t>(i)];
      const double b = y.data<float>()[static_cast<std::size_t>(i)];
      sum += a, squares += a * a, error += (a - b) * (a - b), n += 1.0;
    }
    const double sigma = std::sqrt(std::max(0.0, squares / n - sum / n * sum / n));
    if (sigma > 1e-6 * std::sqrt(squares / n)) worst = std::max(worst, std::sqrt(error / n) / sigma);
  }
  RC_ASSERT(whole.worst().has_value() == (worst >= 0.0));
  if (worst < 0.0) return;
  RC_ASSERT(std::fabs(whole.worst()->relative - worst) <= 1e-9 * worst);
  RC_ASSERT(std::fabs(parts.worst()->relative - worst) <= 1e-9 * worst);
}

}  // namespace
}  // namespace halftone::analysis
