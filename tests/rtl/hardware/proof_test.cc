// Statements about all inputs are proven, and planted faults refuted with a counterexample.
#include <gtest/gtest.h>

#include "halftone/rtl/proof.h"
#include "halftone/rtl/simulation.h"
#include "halftone/rtl/tool.h"

namespace halftone::rtl {
namespace {

constexpr std::chrono::seconds kLimit(900);

bool tools_are_there() { return is_there({"yosys", ""}) && is_there({"z3", ""}); }
std::string name_of(std::string text) {
  std::erase_if(text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
  return text;
}

class Proofs : public testing::TestWithParam<Proof> {};

TEST_P(Proofs, Hold) {
  if (!tools_are_there()) GTEST_SKIP() << "skipped: yosys or z3 is missing";
  const ProofResult result = prove(GetParam(), kept_folder(KEPT_FOLDER), kLimit);
  EXPECT_EQ(result.verdict, Verdict::proven) << result.counterexample << ' ' << result.seconds << " s";
}

INSTANTIATE_TEST_SUITE_P(OfTheLibrary, Proofs, testing::ValuesIn(proofs()), [](const auto& one) { return name_of(one.param.name); });

class Faults : public testing::TestWithParam<PlantedFault> {};

TEST_P(Faults, AreRefuted) {
  if (!tools_are_there()) GTEST_SKIP() << "skipped: yosys or z3 is missing";
  const ProofResult result = prove(GetParam().proof, kept_folder(KEPT_FOLDER), kLimit, GetParam().fault);
  EXPECT_EQ(result.verdict, Verdict::refuted);
  EXPECT_FALSE(result.counterexample.empty());
}

INSTANTIATE_TEST_SUITE_P(Planted, Faults, testing::ValuesIn(planted_faults()), [](const auto& one) { return name_of(one.param.name); });

}  // namespace
}  // namespace halftone::rtl
