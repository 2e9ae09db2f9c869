// Accuracy over a set, batch by batch.
#include "halftone/analysis/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <mutex>

#include "halftone/base/error.h"
#include "tests/analysis/network.h"

namespace halftone::analysis {
namespace {

using testing::ElementsAre;

// Scores that are a function of the batch.
struct Fake : ir::Executor {
  std::function<Tensor(const Tensor&)> scores;
  explicit Fake(std::function<Tensor(const Tensor&)> f) : scores(std::move(f)) {}
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor&) const override {
    return {scores(inputs[0])};
  }
};

data::Dataset labelled(const std::vector<float>& values, Shape row, std::vector<std::int32_t> labels,
                       int classes) {
  row.insert(row.begin(), static_cast<std::int64_t>(labels.size()));
  return {.name = "test", .images = ir::floats(row, values), .labels = std::move(labels), .classes = classes};
}

TEST(Predictions, AreTheLargestTheFirstAmongEqualOnes) {
  EXPECT_THAT(predictions(ir::floats({4, 3}, {1, 2, 2, 0, 0, 0, -1, -2, -1, -3, -2, -1})),
              ElementsAre(1, 0, 0, 2));
  EXPECT_THAT(predictions(ir::floats({2, 1}, {5, -5})), ElementsAre(0, 0));
  EXPECT_THAT(predictions(ir::floats({2, 2}, {-INFINITY, -INFINITY, -INFINITY, INFINITY})),
              ElementsAre(0, 1));
  EXPECT_THAT(predictions(Tensor(DType::float32, {0, 3})), ElementsAre());
}

TEST(Predictions, OfIntegersAndOfMoreDimensions) {
  EXPECT_THAT(predictions(Tensor::from<std::int8_t>({2, 2}, std::vector<std::int8_t>{-128, 127, 3, 3})),
              ElementsAre(1, 0));
  EXPECT_THAT(predictions(ir::floats({2, 3, 1, 1}, {1, 3, 2, 9, 8, 7})), ElementsAre(1, 0));
}

RC_GTEST_PROP(Predictions, NothingIsLargerAndNothingBeforeIsAsLarge,
              (const std::vector<std::int8_t>& values)) {
  RC_PRE(!values.empty());
  const std::vector<float> row(values.begin(), values.end());
  const std::int32_t best = predictions(ir::floats({1, static_cast<std::int64_t>(row.size())}, row)).at(0);
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(row.size()); ++i) {
    const float v = row[static_cast<std::size_t>(i)];
    const float most = row[static_cast<std::size_t>(best)];
    const bool right = i < best ? v < most : v <= most;
    RC_ASSERT(right);
  }
}

TEST(Rank, CountsWhatIsLargerOrEqualAndEarlier) {
  const std::vector<float> row{2, 5, 2, -1, 5};
  const Rank expected[] = {{2, 0}, {0, 0}, {2, 1}, {4, 0}, {0, 1}};
  for (std::int32_t label = 0; label < 5; ++label)
    EXPECT_TRUE(rank_of(row, label) == expected[label]) << label;
  EXPECT_TRUE(rank_of(std::vector<float>{7}, 0) == (Rank{0, 0}));
  EXPECT_TRUE(rank_of(std::vector<float>{-INFINITY, INFINITY}, 0) == (Rank{1, 0}));
}

RC_GTEST_PROP(Rank, IsAPermutationWhoseFirstIsThePrediction, (const std::vector<std::int8_t>& values)) {
  RC_PRE(!values.empty());
  std::vector<float> row;
  for (std::int8_t v : values) row.push_back(static_cast<float>(v % 4));  // many ties
  std::vector<bool> seen(row.size(), false);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const Rank of_i = rank_of(row, static_cast<std::int32_t>(i));
    const auto rank = static_cast<std::size_t>(of_i.larger + of_i.equal_earlier);
    RC_ASSERT(rank < row.size());
    RC_ASSERT(!seen[rank]);
    seen[rank] = true;
    if (rank == 0)
      RC_ASSERT(predictions(ir::floats({1, static_cast<std::int64_t>(row.size())}, row)).at(0) ==
                static_cast<std::int32_t>(i));
  }
}

TEST(Evaluate, CountsLabelsAmongTheFirstFive) {
  std::vector<float> scores;
  for (int row = 0; row < 7; ++row)
    for (int i = 0; i < 7; ++i) scores.push_back(static_cast<float>(-i));
  const auto dataset = labelled(scores, {7}, {0, 1, 2, 3, 4, 5, 6}, 7);
  for (std::int64_t batch : {1, 2, 7}) {
    const Accuracy accuracy =
        evaluate(Fake([](const Tensor& x) { return x; }), dataset, {}, {.batch_size = batch});
    EXPECT_EQ(accuracy.correct, 1);
    EXPECT_EQ(accuracy.correct_in_5, 5);
    EXPECT_DOUBLE_EQ(accuracy.percent(accuracy.correct_in_5), 500.0 / 7.0);
  }
}

TEST(Evaluate, OfFewerThanSixClassesEveryLabelIsAmongFive) {
  const auto dataset = labelled({1, 0, 0, 1, 1, 0}, {2}, {0, 0, 1}, 2);
  const Accuracy accuracy = evaluate(Fake([](const Tensor& x) { return x; }), dataset, {}, {});
  EXPECT_EQ(accuracy.correct, 1);
  EXPECT_EQ(accuracy.correct_in_5, 3);
}

TEST(Evaluate, CountsTiesThatWouldBeRightByThemselves) {
  // Labels 0, 1, 2 of {4, 4, 1, 1, 1, 1, 1}: first; equal to the first; third. Labels 5 and 6 tie with the
  // fifth.
  std::vector<float> scores;
  for (int row = 0; row < 5; ++row)
    for (float score : {4, 4, 1, 1, 1, 1, 1}) scores.push_back(score);
  const auto dataset = labelled(scores, {7}, {0, 1, 2, 5, 6}, 7);
  const Accuracy accuracy = evaluate(Fake([](const Tensor& x) { return x; }), dataset, {}, {});
  EXPECT_EQ(accuracy.correct, 1);
  EXPECT_EQ(accuracy.tied, 1);
  EXPECT_EQ(accuracy.correct_in_5, 3);
  EXPECT_EQ(accuracy.tied_in_5, 2);
}

TEST(Evaluate, CountsWhatIsRight) {
  const auto dataset = labelled({1, 0, 0, 1, 1, 0, 0, 1, 3, 3}, {2}, {0, 1, 1, 0, 0}, 2);
  const Accuracy accuracy = evaluate(Fake([](const Tensor& x) { return x; }), dataset, {}, {});
  EXPECT_EQ(accuracy.samples, 5);
  EXPECT_EQ(accuracy.correct, 3);
  EXPECT_DOUBLE_EQ(accuracy.percent(), 60.0);
  EXPECT_THAT(accuracy.predictions, ElementsAre(0, 1, 0, 1, 0));
}

TEST(Evaluate, IsTheSameForAnyBatchSizeAndThreads) {
  const Network network;
  const qgraph::Interpreter integers(network.integers);
  const Accuracy whole = evaluate(integers, network.dataset, {}, {.batch_size = 128});
  for (std::int64_t batch : {1, 2, 3, 7, 8, 9, 63, 64, 65, 127, 129, 1000})
    for (int threads : {1, 2, 3}) {
      const Accuracy other =
          evaluate(integers, network.dataset, {}, {.batch_size = batch, .threads = threads});
      EXPECT_EQ(other.predictions, whole.predictions) << batch;
      EXPECT_EQ(other.correct, whole.correct);
    }
}

TEST(Evaluate, AnOutputThatIsNotOneRowASampleIsRefused) {
  const auto dataset = labelled({1, 2, 3, 4, 5, 6}, {3}, {0, 1}, 3);
  const auto refuses = [&](Shape shape) {
    EXPECT_THROW(
        evaluate(Fake([&](const Tensor&) { return Tensor(DType::float32, shape); }), dataset, {}, {}),
        InputError)
        << to_string(shape);
  };
  refuses({6});
  refuses({1, 6});
  refuses({3, 2});
  refuses({2, 2});
  refuses({});
  refuses({0, 3});
}

TEST(Evaluate, MoreScoresThanClassesAreAllowed) {
  const auto dataset = labelled({1, 2, 3, 3, 2, 1}, {3}, {1, 0}, 2);
  EXPECT_EQ(evaluate(Fake([](const Tensor& x) { return x; }), dataset, {}, {}).correct, 1);
}

TEST(Evaluate, NoSamplesAreZeroPercent) {
  const data::Dataset none{
      .name = "none", .images = Tensor(DType::float32, {0, 2}), .labels = {}, .classes = 2};
  EXPECT_EQ(evaluate(Fake([](const Tensor& x) { return x; }), none, {}, {}).percent(), 0.0);
}

TEST(Evaluate, AppliesThePreprocessing) {
  data::Dataset dataset{
      .name = "bytes",
      .images = Tensor::from<std::uint8_t>({1, 2, 1, 1}, std::vector<std::uint8_t>{51, 255}),
      .labels = {1},
      .classes = 2};
  evaluate(Fake([](const Tensor& x) {
             EXPECT_TRUE(x == ir::floats({1, 2, 1, 1}, {0.2F, 1.0F}));
             return x;
           }),
           dataset, data::preset("mnist"), {});
}

RC_GTEST_PROP(Batches, CoverEveryRowOnceInWholeBatches, ()) {
  const std::int64_t rows = *rc::gen::resize(100, rc::gen::inRange(0, 40));
  const std::int64_t size = *rc::gen::resize(100, rc::gen::inRange(1, 50));
  const int threads = *rc::gen::resize(100, rc::gen::inRange(1, 4));
  data::Dataset dataset{.name = "rows",
                        .images = Tensor(DType::float32, {rows, 1}),
                        .labels = std::vector<std::int32_t>(static_cast<std::size_t>(rows)),
                        .classes = 1};
  for (std::int64_t i = 0; i < rows; ++i)
    dataset.images.mutable_data<float>()[static_cast<std::size_t>(i)] = static_cast<float>(i);
  std::mutex mutex;
  std::vector<int> seen(static_cast<std::size_t>(rows), 0);
  std::vector<double> progress;
  bool right = true;
  calibration::for_batches(
      calibration::samples_of(dataset, {}),
      {.batch_size = size, .threads = threads, .progress = [&](double done) { progress.push_back(done); }},
      [&](const calibration::Batch& batch) {
        const std::lock_guard lock(mutex);
        right = right && batch.inputs[0].dim(0) == std::min(size, rows - batch.first);
        for (std::int64_t i = 0; i < batch.inputs[0].dim(0); ++i) {
          ++seen[static_cast<std::size_t>(batch.first + i)];
          right = right && batch.inputs[0].data<float>()[static_cast<std::size_t>(i)] ==
                               static_cast<float>(batch.first + i);
        }
      });
  RC_ASSERT(right);
  RC_ASSERT(std::ranges::all_of(seen, [](int n) { return n == 1; }));
  RC_ASSERT(std::ranges::is_sorted(progress));
  const bool complete = rows == 0 || progress.back() == 1.0;
  RC_ASSERT(complete);
}

}  // namespace
}  // namespace halftone::analysis
