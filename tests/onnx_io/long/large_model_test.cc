// Models that protobuf can't hold: needs 4 GB of memory and 3 GB of disk.
#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/onnx_io/load.h"
#include "halftone/onnx_io/save.h"
#include "tests/base/scratch.h"

namespace halftone::onnx_io {
namespace {

TEST(LargeModel, WeightsBeyondTwoGigabytesGoToTheirOwnFileAndComeBack) {
  constexpr std::int64_t kRows = 17000;
  constexpr std::int64_t kColumns = 17001;
  Tensor weights(DType::float32, {kRows, kColumns});
  auto values = weights.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 8191) - 4000.0F;
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", DType::float32, {kDynamic, kRows});
  graph.outputs = {graph.add_node(ir::Gemm{}, {x, graph.add_constant("a", weights)}, "y"),
                   graph.add_node(ir::Gemm{}, {x, graph.add_constant("b", weights)}, "z")};
  EXPECT_THROW(serialize_model(graph), UnsupportedError);

  const Scratch scratch;
  const std::uint64_t bytes = save_model(graph, scratch / "m.onnx");
  EXPECT_GT(bytes, std::uint64_t{2} << 30);
  EXPECT_LT(std::filesystem::file_size(scratch / "m.onnx"), 10'000u);
  const ir::Graph after = load_model(scratch / "m.onnx");
  EXPECT_TRUE(after.constant(*after.find("a")) != nullptr && *after.constant(*after.find("a")) == weights);
  EXPECT_TRUE(after.constant(*after.find("b")) != nullptr && *after.constant(*after.find("b")) == weights);
}

}  // namespace
}  // namespace halftone::onnx_io
