// Training that stops and goes on, and ranks that train together, against training that does neither.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <thread>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/data/npz.h"
#include "halftone/qat/train.h"
#include "tests/qat/random_tensor.h"

namespace halftone::qat {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const Examples kNone;
const Ranks kAlone;

Examples two_clouds(std::int64_t count) {
  std::mt19937_64 random(3);
  Examples rows{random_tensor({count, 1, 2, 2}, random), {}};
  for (std::int64_t i = 0; i < count; ++i) rows.labels.push_back(rows.images.data<float>()[static_cast<std::size_t>(i * 4)] > 0 ? 1 : 0);
  return rows;
}

ir::Graph small_graph() {
  std::mt19937_64 random(5);
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", DType::float32, {kDynamic, 1, 2, 2});
  const ir::ValueId flat = graph.add_node(ir::Flatten{}, {x}, "flat");
  const ir::ValueId hidden = graph.add_node(ir::Tanh{}, {graph.add_node(ir::MatMul{}, {flat, graph.add_constant("w1", random_tensor({4, 6}, random))}, "h")}, "t");
  graph.outputs = {graph.add_node(ir::MatMul{}, {hidden, graph.add_constant("w2", random_tensor({6, 2}, random))}, "y")};
  return graph;
}

class Resume : public testing::Test {
 protected:
  Resume() : file_(std::filesystem::path(testing::TempDir()) / ("resume-" + std::to_string(::getpid()) + ".npz")) { std::filesystem::remove(file_); }
  ~Resume() override { std::filesystem::remove(file_); }

  TrainOptions options() const {
    TrainOptions options{.epochs = 4, .batch_size = 8, .learning_rate = 0.01};
    options.augmentation = Augmentation::crop_flip;
    options.average = 0.9;
    return options;
  }

  Trained train_with(const Hooks& hooks, const TrainOptions& options) { return train({small_graph(), rows_, held_out_, kNone, kAlone}, options, hooks); }

  // Ends after so many batches, again and again, until it is through.
  Trained train_in_pieces(int batches, const TrainOptions& options) {
    Hooks hooks;
    hooks.keeping = Keeping{.file = file_, .resumes = true, .identity = {{"seed", "1"}}};
    for (int pieces = 0; pieces < 100; ++pieces) {
      int done = 0;
      hooks.stop = [&] { return ++done >= batches; };
      try {
        return train_with(hooks, options);
      } catch (const Stopped& stopped) {
        EXPECT_TRUE(stopped.is_kept);
      }
    }
    throw std::logic_error("never ends");
  }

  std::filesystem::path file_;
  Examples rows_ = two_clouds(100);
  Examples held_out_ = two_clouds(30);
};

TEST_F(Resume, GoesOnBitForBit) {
  for (OptimizerKind kind : {OptimizerKind::adamw, OptimizerKind::adam, OptimizerKind::sgd})
    for (int patience : {0, 2}) {
      TrainOptions options = this->options();
      options.optimizer = kind;
      options.patience = patience;
      const Trained whole = train_with({}, options);
      for (int batches : {1, 7, 13, 20}) {
        std::filesystem::remove(file_);
        const Trained pieces = train_in_pieces(batches, options);
        for (const char* name : {"w1", "w2"}) EXPECT_EQ(*pieces.graph.constant(*pieces.graph.find(name)), *whole.graph.constant(*whole.graph.find(name))) << batches;
        ASSERT_EQ(pieces.reports.size(), whole.reports.size());
        for (std::size_t i = 0; i < whole.reports.size(); ++i) {
          EXPECT_EQ(pieces.reports[i].loss, whole.reports[i].loss);
          EXPECT_EQ(pieces.reports[i].held_out, whole.reports[i].held_out);
        }
      }
    }
}

TEST_F(Resume, RefusesAnotherTrainingAndDamage) {
  Hooks hooks;
  hooks.keeping = Keeping{.file = file_, .identity = {{"seed", "1"}}};
  train_with(hooks, options());
  hooks.keeping->resumes = true;
  train_with(hooks, options());
  hooks.keeping->identity["seed"] = "2";
  EXPECT_THAT([&] { train_with(hooks, options()); }, ThrowsMessage<UsageError>(HasSubstr("seed, got 2, expected 1 as it was begun")));
  hooks.keeping->identity["seed"] = "1";
  TrainOptions other = options();
  other.average = 0;
  EXPECT_THAT([&] { train_with(hooks, other); }, ThrowsMessage<InputError>(HasSubstr("is of another network")));
  std::vector<std::byte> bytes = read_file(file_);
  for (std::size_t at : {std::size_t{0}, std::size_t{100}, bytes.size() / 2, bytes.size() - 5}) {
    std::vector<std::byte> damaged = bytes;
    damaged[at] ^= std::byte{0x41};
    write_file(file_, damaged);
    EXPECT_THROW(train_with(hooks, options()), InputError) << at;
  }
  write_file(file_, std::span(bytes).first(bytes.size() / 2));
  EXPECT_THROW(train_with(hooks, options()), InputError);
}

TEST_F(Resume, KeepsTheLastGoodStateWhereTheLossIsNoNumber) {
  Hooks hooks;
  hooks.keeping = Keeping{.file = file_, .seconds = 0};
  TrainOptions wild = options();
  wild.optimizer = OptimizerKind::sgd;
  wild.learning_rate = 1000;
  wild.label_smoothing = 0;
  rows_.images.mutable_data<float>()[200] = 1e30F;
  EXPECT_THROW(train_with(hooks, wild), UsageError);
  ASSERT_TRUE(std::filesystem::exists(file_));
  for (const auto& [name, tensor] : data::read_npz(file_))
    EXPECT_TRUE(tensor.dtype() != DType::float32 || std::ranges::all_of(tensor.data<float>(), [](float x) { return std::isfinite(x); })) << name;
}

// Two ranks share each batch; floats are added in another order.
TEST(RanksTest, TwoTrainAsOne) {
  const Examples rows = two_clouds(101);
  const TrainOptions options{.epochs = 3, .batch_size = 10, .learning_rate = 0.01};
  const Trained alone = train({small_graph(), rows, rows, kNone, kAlone}, options);
  std::vector<Trained> together(2);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 2; ++rank)
    threads.emplace_back([&, rank] {
      const Ranks ranks({.rank = rank, .size = 2, .address = "127.0.0.1", .port = 29411, .timeout = std::chrono::seconds(60)});
      together[static_cast<std::size_t>(rank)] = train({small_graph(), rows, rows, kNone, ranks}, options);
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < alone.reports.size(); ++i) {
    EXPECT_NEAR(together[0].reports[i].loss, alone.reports[i].loss, 1e-4);
    EXPECT_EQ(together[0].reports[i].loss, together[1].reports[i].loss);
    EXPECT_NEAR(*together[0].reports[i].held_out, *alone.reports[i].held_out, 1.5 / 101);
  }
  EXPECT_EQ(*together[0].graph.constant(*together[0].graph.find("w1")), *together[1].graph.constant(*together[1].graph.find("w1")));
}

}  // namespace
}  // namespace halftone::qat
