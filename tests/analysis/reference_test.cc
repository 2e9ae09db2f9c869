// Reference arrays find their outputs by name or in order.
#include "halftone/analysis/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::analysis {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::HasSubstr;

const NamedOutputs kOutputs{"net", {"scores", "boxes"}};
const Tensor kRows = ir::floats({4, 1}, {1, 2, 3, 4});
const Tensor kOthers = ir::floats({4, 1}, {5, 6, 7, 8});
constexpr const char* kWhere = "reference";

TEST(OutputIndex, IsTheFirstWithoutAName) {
  EXPECT_EQ(output_index(kOutputs, "", kWhere), 0U);
  EXPECT_EQ(output_index(kOutputs, "boxes", kWhere), 1U);
  EXPECT_THROW(output_index(kOutputs, "masks", kWhere), UsageError);
}

TEST(MatchReference, TakesArraysByName) {
  const data::NamedTensors arrays{{"boxes", kRows}, {"else", kOthers}};
  EXPECT_THAT(match_reference(arrays, kOutputs, {}, kWhere), ElementsAre(FieldsAre(1U, "boxes", kRows)));
}

TEST(MatchReference, TakesArraysInOrderWhereNoNameIsAlike) {
  const data::NamedTensors arrays{{"a", kRows}, {"b", kOthers}};
  EXPECT_THAT(match_reference(arrays, kOutputs, {}, kWhere),
              ElementsAre(FieldsAre(0U, "scores", kRows), FieldsAre(1U, "boxes", kOthers)));
  EXPECT_THAT(match_reference(arrays, kOutputs, {.output = "boxes"}, kWhere), ElementsAre(FieldsAre(1U, "boxes", kOthers)));
}

TEST(MatchReference, TakesTheOnlyArrayForTheOutputThatIsAskedFor) {
  EXPECT_THAT(match_reference({{"", kRows}}, kOutputs, {.output = "boxes"}, kWhere),
              ElementsAre(FieldsAre(1U, "boxes", kRows)));
  EXPECT_THAT(match_reference({{"", kRows}}, {"net", {"scores"}}, {}, kWhere), ElementsAre(FieldsAre(0U, "scores", kRows)));
}

TEST(MatchReference, TakesTheRowsOfTheSamples) {
  const data::NamedTensors arrays{{"scores", kRows}, {"boxes", ir::floats({2, 1}, {5, 6})}};
  EXPECT_THAT(match_reference(arrays, kOutputs, {.samples = 2, .total = 4}, kWhere),
              ElementsAre(FieldsAre(0U, "scores", ir::floats({2, 1}, {1, 3})), FieldsAre(1U, "boxes", arrays[1].second)));
}

TEST(MatchReference, RefusesArraysOfNoOutput) {
  const auto refusal = [](const data::NamedTensors& arrays, const ReferencePart& part) -> std::string {
    try {
      match_reference(arrays, kOutputs, part, kWhere);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal({{"", kRows}}, {}), "[reference] no array for an output of 'net', expected one for: scores, boxes");
  EXPECT_THAT(refusal({{"scores", kRows}}, {.output = "boxes"}), HasSubstr("expected one for: boxes"));
}

}  // namespace
}  // namespace halftone::analysis
