// Every module and every kind of array in Verilator against the arithmetic, with stalls, and faults that have to show.
#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/rtl/array_cycles.h"
#include "halftone/rtl/checks/check_products.h"
#include "halftone/rtl/checks/function_check.h"
#include "halftone/rtl/single_multiplier.h"
#include "halftone/rtl/tool.h"

namespace halftone::rtl {
namespace {

#define SKIP_WITHOUT(tool) \
  if (!is_there({tool, ""})) GTEST_SKIP() << "skipped: " tool " is missing"

std::filesystem::path kept() { return kept_folder(KEPT_FOLDER); }

class Functions : public testing::TestWithParam<FunctionCheck> {};

TEST_P(Functions, IsTheArithmetic) {
  SKIP_WITHOUT("verilator");
  Simulation simulation(top_of(GetParam().module), kept());
  const FunctionChecks checks = check_function(simulation, GetParam(), 60'000, 1);
  EXPECT_GE(checks.compared, 60'000U);
  EXPECT_EQ(checks.different, 0U) << checks.first;
}

INSTANTIATE_TEST_SUITE_P(OfTheLibrary, Functions, testing::ValuesIn(function_checks()), [](const auto& one) {
  std::string name = one.param.name;
  std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
  return name;
});

struct ArrayCase {
  std::string name;
  ArrayGeometry geometry;
  ProductShape shape;
};

class Arrays : public testing::TestWithParam<ArrayCase> {};

TEST_P(Arrays, AreTheArithmeticInTheCyclesPredicted) {
  SKIP_WITHOUT("verilator");
  const ProductShape& shape = GetParam().shape;
  const ArrayGeometry g = with_memories_for(GetParam().geometry, shape);
  Simulation simulation(top_of(g), kept());
  for (int bytes : {0, 1, 7, 64}) {
    const ProductChecks checks = check_products(simulation, g, shape, {.outputs = 20'000, .bytes_a_cycle = bytes, .seed = 3});
    EXPECT_EQ(checks.different, 0U) << bytes;
    EXPECT_GT(checks.inside * 20, checks.outputs) << bytes;
    EXPECT_EQ(checks.cycles, predicted_cycles(g, shape, bytes)) << bytes;
  }
  // Another product on the same array: sizes that its memories hold are numbers, not parameters.
  const ProductShape small{1, 3, 2};
  EXPECT_EQ(check_products(simulation, g, small, {.outputs = 500}).different, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    OfEachKind, Arrays,
    testing::Values(ArrayCase{"EightBits", {.rows = 4, .cols = 3, .lanes = 2}, {9, 40, 7}},
                    ArrayCase{"Pairs", {.rows = 6, .cols = 5, .pair = true, .lanes = 2, .mantissa = 32, .rounding = numeric::Rounding::half_away}, {13, 64, 11}},
                    ArrayCase{"FourBits", {.rows = 4, .cols = 3, .bits = 4, .lanes = 4, .acc_width = 16, .mantissa = 8}, {10, 33, 6}},
                    ArrayCase{"TwoBits", {.rows = 3, .cols = 2, .bits = 2, .lanes = 3, .acc_width = 14, .rounding = numeric::Rounding::half_up}, {7, 61, 5}},
                    ArrayCase{"OneBit", {.rows = 3, .cols = 4, .bits = 1, .lanes = 1, .acc_width = 14}, {8, 100, 9}},
                    ArrayCase{"OneElement", {.rows = 1, .cols = 1, .lanes = 1}, {3, 5, 2}}, ArrayCase{"PartsOfAProduct", {.rows = 2, .cols = 2, .lanes = 1, .a_part = 15, .b_part = 15}, {6, 40, 6}}),
    [](const auto& one) { return one.param.name; });

class SingleMultipliers : public testing::TestWithParam<SingleMultiplier> {};

TEST_P(SingleMultipliers, AreTheArithmeticInTheCyclesOfTheFormula) {
  SKIP_WITHOUT("verilator");
  Simulation simulation(top_of(GetParam()), kept());
  const SingleMultiplierChecks checks = check_single_multiplier(simulation, GetParam(), 40, 5);
  EXPECT_EQ(checks.different, 0U);
  EXPECT_EQ(checks.cycles, cycles_of(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(OfLab6, SingleMultipliers,
                         testing::Values(SingleMultiplier{{8, 16, 4}, 0, true}, SingleMultiplier{{4, 8, 8}, 0, false}, SingleMultiplier{{4, 16, 8}, 1}, SingleMultiplier{{8, 8, 4}, 2}));

// Faults of streams and sequences; proof_test.cc has those that proofs see.
struct StreamFault {
  std::string name;
  Fault fault;
};

class StreamFaults : public testing::TestWithParam<StreamFault> {};

TEST_P(StreamFaults, Show) {
  SKIP_WITHOUT("verilator");
  // Many row tiles of few steps: the ring of A is full, and tiles wait for each other's drain.
  const ProductShape shape{37, 3, 7};
  const ArrayGeometry g = with_memories_for({.rows = 4, .cols = 3, .lanes = 2}, shape);
  Simulation simulation(top_of(g), kept(), GetParam().fault);
  bool shows = false;
  try {
    const ProductChecks checks = check_products(simulation, g, shape, {.outputs = 20'000});
    shows = checks.different > 0 || checks.cycles != predicted_cycles(g, shape, 0);
  } catch (const InputError&) {
    shows = true;  // it stands still, or ends at another word
  }
  EXPECT_TRUE(shows);
}

INSTANTIATE_TEST_SUITE_P(
    Planted, StreamFaults,
    testing::Values(StreamFault{"AWordLostUnderStall", {"SkidBuffer", "spare_valid_q <= 1'b1;", "spare_valid_q <= 1'b0;"}},
                    StreamFault{"AStalledStageThatMoves", {"MatmulArray", "        chosen_q <= chosen;\n", "      end\n    always_ff @(posedge clk_i)\n      begin\n        chosen_q <= chosen;\n"}},
                    StreamFault{"ASumThatIsNotCleared", {"ProcessingElement", "(first ? '0 : sums_q[", "(1'b0 ? '0 : sums_q["}},
                    StreamFault{"ADrainThatStartsTooSoon", {"MatmulArray", "localparam int START = COLS + LATENCY + 3;", "localparam int START = COLS + LATENCY + 2;"}},
                    StreamFault{"ATileThatDoesNotWait", {"TileSequencer", "!(last_q && pending_q)", "1'b1"}},
                    StreamFault{"AMemoryOfWhichAWordIsOverwritten", {"TileSequencer", "a_held != (A_ADDRESS + 1)'(A_DEPTH)", "1'b1"}},
                    StreamFault{"ARowTileReadAgain", {"TileSequencer", "if (rewind) a_base_q <= a_ahead_q;", ""}},
                    StreamFault{"ParametersOfTheNextColumn", {"DrainSequencer", "assign parameter_o = parameter_q;", "assign parameter_o = parameter_q + 1'b1;"}},
                    StreamFault{"ASkewThatIsOneShort", {"SystolicArray", ".WIDTH(8), .CYCLES(j)", ".WIDTH(8), .CYCLES(j > 1 ? j - 1 : j)"}}),
    [](const auto& one) { return one.param.name; });

TEST(FirstVectors, AreTheDocuments) {
  SKIP_WITHOUT("verilator");
  // (-5222, -3413) · (127/3)/(63.5·127) becomes (-27, -18); (-128, -64, 64, 127)·(127, 77, 77, 127) = -127.
  const numeric::Multiplier m = numeric::multiplier_from(127.0 / 3.0 / (63.5 * 127.0), 32);
  const ProductShape shape{1, 4, 3};
  const ArrayGeometry g = with_memories_for({.rows = 1, .cols = 1, .lanes = 1, .mantissa = 32}, shape);
  Simulation simulation(top_of(g), kept());
  Product product{.shape = shape, .a = {-128, -64, 64, 127}, .b = {0, 0, 0, 0, 0, 0, 0, 0, 127, 77, 77, 127}, .bias = {-5222, -3413, 0}, .multiplier = {m.m, m.m, 1}, .shift = {m.shift(), m.shift(), 0}};
  EXPECT_EQ(results_of(g, product, simulation.run(job_of(g, product)).out), (std::vector<std::int32_t>{-27, -18, -127}));
}

}  // namespace
}  // namespace halftone::rtl
