#include "halftone/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "halftone/base/error.h"

namespace halftone::data {
namespace {

// Row i holds the pixel i, label i % 10.
Dataset counting(int size) {
  Dataset dataset{"counting", Tensor(DType::uint8, {size, 1, 1, 1}), {}, 10};
  for (int i = 0; i < size; ++i) {
    dataset.images.mutable_data<std::uint8_t>()[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i);
    dataset.labels.push_back(i % 10);
  }
  return dataset;
}

std::vector<int> pixels(const Dataset& dataset) {
  const auto data = dataset.images.data<std::uint8_t>();
  return {data.begin(), data.end()};
}

TEST(Dataset, FirstRows) {
  const Dataset three = first(counting(10), 3);
  EXPECT_THAT(pixels(three), testing::ElementsAre(0, 1, 2));
  EXPECT_THAT(three.labels, testing::ElementsAre(0, 1, 2));
  EXPECT_EQ(three.name, "counting");
  EXPECT_EQ(three.classes, 10);
}

TEST(Dataset, SampleSpreadsEvenly) {
  EXPECT_THAT(pixels(sample(counting(10), 5)), testing::ElementsAre(0, 2, 4, 6, 8));
  EXPECT_THAT(pixels(sample(counting(10), 4)), testing::ElementsAre(0, 2, 5, 7));
  EXPECT_THAT(sample(counting(30), 3).labels, testing::ElementsAre(0, 0, 0));
}

TEST(Dataset, MoreRowsThanThereAreGiveAll) {
  EXPECT_EQ(first(counting(7), 100).size(), 7);
  EXPECT_EQ(sample(counting(7), 100).size(), 7);
}

TEST(Dataset, RefusesNoRows) {
  for (std::int64_t count : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
    EXPECT_THROW(first(counting(3), count), UsageError);
    EXPECT_THROW(sample(counting(3), count), UsageError);
  }
}

TEST(Dataset, ClassCounts) {
  EXPECT_THAT(class_counts(counting(12)), testing::ElementsAre(2, 2, 1, 1, 1, 1, 1, 1, 1, 1));
}

TEST(Dataset, CheckFindsWrongLabelsAndCounts) {
  Dataset dataset = counting(3);
  EXPECT_NO_THROW(check(dataset, "here"));
  dataset.labels[1] = 10;
  EXPECT_THROW(check(dataset, "here"), InputError);
  dataset.labels[1] = -1;
  EXPECT_THROW(check(dataset, "here"), InputError);
  dataset.labels = {0, 1};
  EXPECT_THROW(check(dataset, "here"), InputError);
}

RC_GTEST_PROP(DatasetProperty, SampleRowsAscendAndKeepTheirLabels, ()) {
  const int size = *rc::gen::inRange(1, 200);
  const int count = *rc::gen::inRange(1, 250);
  const Dataset chosen = sample(counting(size), count);
  RC_ASSERT(chosen.size() == std::min(size, count));
  const auto rows = pixels(chosen);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    RC_ASSERT(chosen.labels[i] == rows[i] % 10);
    if (i > 0) RC_ASSERT(rows[i] > rows[i - 1]);
  }
}

}  // namespace
}  // namespace halftone::data
