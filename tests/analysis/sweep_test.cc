// Tables of many networks on the same samples, and what is read off them.
#include "halftone/analysis/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "halftone/analysis/evaluate.h"
#include "halftone/analysis/fixed_point_table.h"
#include "halftone/base/error.h"
#include "halftone/analysis/fixed_weights.h"
#include "halftone/analysis/narrow_sums.h"
#include "halftone/analysis/sweep_cells.h"
#include "tests/analysis/analyzed.h"

namespace halftone::analysis {
namespace {

using testing::ElementsAre;
using testing::Optional;

// Always the same class.
struct Constant : ir::Executor {
  std::size_t best;
  explicit Constant(std::size_t b) : best(b) {}
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor&) const override {
    Tensor y(DType::float32, {inputs[0].dim(0), 3});
    for (std::size_t i = best; i < static_cast<std::size_t>(y.size()); i += 3) y.mutable_data<float>()[i] = 1;
    return {y};
  }
};

MakeNetwork constant(std::size_t best) {
  return [best] { return std::make_unique<Constant>(best); };
}

// 10 rows of class 0, 1, 2, 0, …: 4 of class 0, 3 of the others.
calibration::Samples ten() { return calibration::samples_of(samples(10, {2}), {}); }

TEST(Sweep, CountsEveryNetworkOfEveryCell) {
  const std::vector<SweepCell> cells{
      {constant(0), constant(1)}, {constant(2), {}}, {constant(0), constant(0)}};
  for (int threads : {1, 2, 5}) {
    std::map<std::size_t, CellCounts> seen;
    std::vector<double> progress;
    sweep(cells, ten(),
          {.batches = {.batch_size = 3,
                       .threads = threads,
                       .progress = [&](double d) { progress.push_back(d); }},
           .done = [&](std::size_t i, const CellCounts& counts) { seen[i] = counts; }});
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_THAT(seen[0], ElementsAre(Optional(4), Optional(3)));
    EXPECT_THAT(seen[1], ElementsAre(Optional(3), std::nullopt));
    EXPECT_THAT(seen[2], ElementsAre(Optional(4), Optional(4)));
    EXPECT_TRUE(std::ranges::is_sorted(progress));
    EXPECT_NEAR(progress.back(), 1.0, 1e-12);
    EXPECT_EQ(progress.size(), 5U * 4U);
  }
}

TEST(Sweep, WhatACellOrItsReaderThrowsEndsIt) {
  const std::vector<SweepCell> broken{
      {[]() -> std::unique_ptr<ir::Executor> { throw InputError("cell", "no"); }}};
  EXPECT_THROW(sweep(broken, ten(), {}), InputError);
  const std::vector<SweepCell> fine{{constant(0)}};
  EXPECT_THROW(sweep(fine, ten(), {.done = [](auto, const auto&) { throw SystemError("disk", "full"); }}),
               SystemError);
}

TEST(Sweep, FixedPointCellsAreTheNetworksWithThoseWeights) {
  const ir::Graph graph = float_network();
  const calibration::Samples rows = calibration::samples_of(samples(64, {1, 6, 6}), {});
  std::vector<numeric::FixedPoint> formats{{9, 2}};
  for (int fl = 1; fl <= 6; ++fl) formats.push_back({6, fl});
  std::vector<CellCounts> expected;
  for (const numeric::FixedPoint& format : formats) {
    const ir::Graph fixed = with_fixed_weights(graph, format, numeric::Overflow::wrap);
    expected.push_back({evaluate(ir::Interpreter(fixed), rows, {}).correct, std::nullopt});
    if (is_lab_cell(format))
      expected.back()[1] = evaluate(ir::Interpreter(with_unscaled_parameters(graph, format)), rows, {}).correct;
  }
  const std::vector<SweepCell> cells =
      fixed_point_cells({.graph = graph, .overflow = numeric::Overflow::wrap, .make_executor = plainly}, {}, formats);
  std::vector<CellCounts> found(cells.size());
  sweep(cells, rows,
        {.batches = {.batch_size = 7, .threads = 2},
         .done = [&](std::size_t i, const CellCounts& counts) { found[i] = counts; }});
  EXPECT_EQ(found, expected);
}

TEST(Sweep, FixedPointCellsWithAnAccumulatorSumInFewBits) {
  const ir::Graph graph = float_network();
  const calibration::Samples rows = calibration::samples_of(samples(8, {1, 6, 6}), {});
  const auto seen = quant::statistics_of(graph, rows.inputs[0].rows);
  const numeric::FixedPoint format{8, 9};
  const auto cells = fixed_point_cells({.graph = graph, .accumulator = 12, .make_executor = plainly}, seen, std::span(&format, 1));
  ASSERT_EQ(cells.at(0).size(), 2U);
  EXPECT_FALSE(cells[0][1]);
  const NarrowNetwork expected(graph, {.weights = format, .bits = 12}, input_formats(graph, seen),
                               std::make_shared<ir::Interpreter>(graph));
  const std::vector<Tensor> inputs{rows.inputs[0].rows};
  EXPECT_EQ(cells[0][0]()->run(inputs), expected.run(inputs));
}

TEST(Sweep, IntegerCellsAreTheQuantizedNetwork) {
  const ir::Graph graph = float_network();
  const std::vector<Tensor> inputs{samples(8, {1, 6, 6}).images};
  const auto seen = quant::statistics_of(graph, inputs[0]);
  const ir::Graph quantized = quant::quantize(graph, quant::choose_ranges(graph, seen, {}), {}).graph;
  const SweepCell cell = integer_cell(graph, seen, {}, "w8a8");
  EXPECT_EQ(cell.at(0)()->run(inputs), qgraph::Interpreter(lower::lower(quantized)).run(inputs));
  const calibration::StatisticsTable nothing;
  EXPECT_THAT([&] { integer_cell(graph, nothing, {}, "w8a8").at(0)(); },
              testing::ThrowsMessage<InputError>(testing::StartsWith("[w8a8] ")));
}

TEST(FixedPointTable, TheBestOfARowIsTheFirstAmongEqualOnes) {
  const std::vector<FixedPointCell> cells{{{2, 2}, 7}, {{2, 1}, 7}, {{3, 1}, 9}, {{3, 2}, 10}};
  EXPECT_EQ(best_of_row(cells, 2)->format.fraction_length, 1);
  EXPECT_EQ(best_of_row(cells, 3)->format.fraction_length, 2);
  EXPECT_EQ(best_of_row(cells, 4), nullptr);
}

// The report's own story: each row better up to word length 4, at fraction length 4, and nothing strictly
// better after it; every later row then keeps fl 4, even where its own best is another or it scores less.
TEST(FixedPointTable, Lab6KeepsItsBestFromRowToRow) {
  const std::vector<FixedPointCell> cells{{{1, 1}, 0, 13}, {{2, 1}, 0, 40}, {{2, 2}, 0, 85}, {{3, 3}, 0, 96},
                                          {{4, 3}, 0, 90}, {{4, 4}, 0, 97}, {{5, 4}, 0, 97}, {{5, 5}, 0, 97},
                                          {{6, 4}, 0, 95}, {{6, 6}, 0, 96}};
  const std::vector<LabRow> rows = lab_rows(cells);
  std::vector<int> fractions;
  std::vector<std::int64_t> correct;
  for (const LabRow& row : rows) {
    fractions.push_back(row.fraction_length);
    correct.push_back(row.correct.value());
  }
  EXPECT_THAT(fractions, ElementsAre(1, 2, 3, 4, 4, 4));
  EXPECT_THAT(correct, ElementsAre(13, 85, 96, 97, 97, 95));
  EXPECT_EQ(kept_since(rows), 4);
  EXPECT_EQ(kept_since(std::span(rows).first(3)), 3);
}

TEST(FixedPointTable, Lab6HasNoBestBeforeAnAnswerIsRight) {
  const std::vector<FixedPointCell> cells{{{1, 1}, 3, 0}, {{2, 1}, 3, 1}, {{9, 1}, 3}};
  const std::vector<LabRow> rows = lab_rows(cells);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].fraction_length, 0);
  EXPECT_FALSE(rows[0].correct);
  EXPECT_EQ(rows[1].correct, 1);
}

TEST(FixedPointTable, Lab6HasWordsOfInt8AndFractionsWithinThem) {
  EXPECT_TRUE(is_lab_cell({8, 8}));
  EXPECT_TRUE(is_lab_cell({1, 1}));
  EXPECT_FALSE(is_lab_cell({9, 1}));
  EXPECT_FALSE(is_lab_cell({4, 0}));
  EXPECT_FALSE(is_lab_cell({4, 5}));
}

}  // namespace
}  // namespace halftone::analysis
