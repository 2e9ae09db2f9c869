// A run that tells of its steps.
#include <gtest/gtest.h>

#include "halftone/engine/program.h"
#include "halftone/lower/lower.h"
#include "tests/quant/network.h"

namespace halftone::engine {
namespace {

TEST(RunByStep, TellsOfEveryStepAndGivesTheSameBytes) {
  const ir::Graph real = quant::conv_network();
  const Program program(lower::lower(quant::quantize(real, quant::ranges_of(real), {}).graph), {.batch = 3});
  Program::Context context(program);
  const Tensor x = ir::random_floats({3, 1, 4, 4}, 5);
  const std::vector<std::span<const std::byte>> from{x.bytes()};
  std::vector<std::byte> plain(program.outputs()[0].bytes() * 3);
  std::vector<std::byte> told(plain.size());
  const std::vector<std::span<std::byte>> to_plain{plain};
  const std::vector<std::span<std::byte>> to_told{told};
  program.run(context, 3, from, to_plain);
  std::vector<std::string> steps;
  program.run_by_step(context, 3, from, to_told, [&](std::string_view step) { steps.emplace_back(step); });
  EXPECT_EQ(told, plain);
  ASSERT_EQ(steps.size() % program.steps(), 0U);
  const std::vector<std::string> first(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(program.steps()));
  for (std::size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i], first[i % first.size()]);
  for (const char* node : {"conv", "pool", "scores"}) EXPECT_NE(std::ranges::find(first, node), first.end()) << node;
}

}  // namespace
}  // namespace halftone::engine
