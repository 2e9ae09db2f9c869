// Statistics that calibration keeps of channels.
#include "halftone/calibration/channel_statistics.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "halftone/base/error.h"
#include "tests/calibration/channels.h"

namespace halftone::calibration {
namespace {

TEST(ChannelStatistics, OnHandWorkedNumbers) {
  ChannelStatistics seen;
  seen.observe(ir::floats({2, 2, 2}, {1, 2, -5, 0, 3, 4, 5, -8}));
  EXPECT_EQ(seen.count, 4);
  EXPECT_EQ(seen.lo, (std::vector<double>{1, -8}));
  EXPECT_EQ(seen.hi, (std::vector<double>{4, 5}));
  EXPECT_EQ(seen.largest(1), 8.0);
  EXPECT_EQ(seen.mean(0), 2.5);
  EXPECT_EQ(seen.mean(1), -2.0);
  EXPECT_DOUBLE_EQ(seen.deviation(0), std::sqrt(1.25));
  EXPECT_DOUBLE_EQ(seen.deviation(1), std::sqrt(24.5));
}

// Sums of such numbers are exact.
RC_GTEST_PROP(ChannelStatistics, PartsInAnyOrderAreTheWhole, ()) {
  const int rows = *rc::gen::inRange(1, 9);
  const int cut = *rc::gen::inRange(0, rows + 1);
  const Tensor all = ir::random_floats({rows, 3, 2, 5}, *rc::gen::arbitrary<std::uint32_t>());
  ChannelStatistics whole;
  whole.observe(all);
  ChannelStatistics parts[2];
  if (cut > 0) parts[0].observe(all.rows(0, cut));
  if (cut < rows) parts[1].observe(all.rows(cut, rows));
  for (int first : {0, 1}) {
    ChannelStatistics merged = parts[first];
    merged.merge(parts[1 - first]);
    RC_ASSERT(merged == whole);
  }
}

TEST(ChannelStatistics, AreTheSameForAnyThreadsAndThoseOfTheValues) {
  const ir::Graph g = channel_network(3, ir::Tanh{});
  const std::vector<ir::ValueId> ids{g.find("conv2").value(), g.find("x").value(), g.find("bound1").value()};
  for (std::int64_t rows : {1, 63, 65, 130}) {
    const Tensor samples = ir::random_floats({rows, 2, 6, 6}, 5);
    const auto one = measure_channels(g, ids, {source_of(samples), {}, interpreter_of});
    for (int threads : {2, 3})
      EXPECT_EQ(measure_channels(g, ids, {source_of(samples), {.threads = threads}, interpreter_of}), one) << rows;
    ir::Graph observed = g;
    observed.outputs = {ids[0]};
    ChannelStatistics expected;
    expected.observe(ir::run(observed, {samples}));
    EXPECT_EQ(one[0].lo, expected.lo);
    EXPECT_EQ(one[0].hi, expected.hi);
    EXPECT_EQ(one[0].count, expected.count);
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(one[0].mean(c), expected.mean(c), 1e-9) << c;
    EXPECT_EQ(one[1].lo.size(), 2u);
  }
}

TEST(ChannelStatistics, NamesTheValueThatIsNotFinite) {
  const ir::Graph g = channel_network(3, ir::Relu{});
  Tensor samples = ir::random_floats({5, 2, 6, 6}, 5);
  samples.mutable_data<float>()[3 * 72] = NAN;
  try {
    measure_channels(g, {g.find("x").value()}, {source_of(samples), {}, interpreter_of});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("[x]"), testing::HasSubstr("sample 3")));
  }
}

}  // namespace
}  // namespace halftone::calibration
