#include "halftone/qat/folded_normalization.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <random>
#include <thread>

#include "halftone/qat/torch_graph.h"
#include "tests/qat/random_tensor.h"

namespace halftone::qat {
namespace {

const Ranks kAlone;

torch::Tensor random_of(Shape shape, std::mt19937_64& random) { return view_as_torch(random_tensor(std::move(shape), random), "x").clone(); }

// Three channels: the first steps, a bias, and a z of another mean and deviation each.
struct Channels {
  std::mt19937_64 random{7};
  torch::Tensor steps = torch::tensor({0.5F, 0.01F, 3.0F});
  torch::Tensor b = torch::tensor({0.1F, -2.0F, 30.0F});
  torch::Tensor s_x = torch::tensor({1e-6F});  // rounds next to nothing

  torch::Tensor z(double factor = 1.0) {
    const torch::Tensor by_channel = torch::tensor({1.0F, 0.2F, 20.0F}).reshape({1, 3, 1, 1});
    return factor * random_of({16, 3, 4, 4}, random) * by_channel + 0.5 * by_channel;
  }
  torch::Tensor with_bias(const torch::Tensor& z) const { return z + b.reshape({1, 3, 1, 1}); }
};

torch::Tensor mean_of(const torch::Tensor& y) { return y.mean({0, 2, 3}); }
torch::Tensor deviation_of(const torch::Tensor& y) { return (y.var({0, 2, 3}, /*unbiased=*/false) + 1e-5).sqrt(); }

FoldedNormalization begun(const Channels& c, const torch::Tensor& z, const Ranks& ranks = kAlone) {
  FoldedNormalization made(c.steps, ranks);
  made.measure(c.with_bias(z), c.b);
  made.begin();
  return made;
}

TEST(FoldedNormalization, ChangesNothingByTheStatisticsOfTheStart) {
  Channels c;
  const torch::Tensor z = c.z();
  FoldedNormalization made = begun(c, z);
  EXPECT_TRUE(torch::equal(made.steps(c.steps), c.steps));
  EXPECT_TRUE(torch::allclose(made.bias(c.steps, c.b), c.b, 1e-5, 1e-5));
  EXPECT_TRUE(torch::allclose(made.by_batch(z, c.steps, c.b, c.s_x, true), c.with_bias(z), 1e-4, 1e-4));
}

TEST(FoldedNormalization, GivesEveryBatchTheMeanAndDeviationOfTheStart) {
  Channels c;
  const torch::Tensor before = c.z();
  FoldedNormalization made = begun(c, before);
  const torch::Tensor s = c.steps * torch::tensor({1.0F, 2.0F, 0.5F});
  const torch::Tensor y = made.by_batch(c.z(7) + 3, s, c.b + 1, c.s_x, true);
  EXPECT_TRUE(torch::allclose(mean_of(y), mean_of(c.with_bias(before)) + 1, 1e-3, 1e-3));
  EXPECT_TRUE(torch::allclose(deviation_of(y), deviation_of(before) * s / c.steps, 1e-3, 1e-3));
}

// y by running statistics is the layer at the steps and with the bias that the file has.
TEST(FoldedNormalization, RunningStatisticsComeToThoseOfBatches) {
  Channels c;
  FoldedNormalization made = begun(c, c.z());
  const torch::Tensor z = c.z(3) + 2;
  const torch::Tensor s = c.steps * 1.5;
  torch::Tensor by_batch;
  for (int i = 0; i < 2000; ++i) by_batch = made.by_batch(z, s, c.b, c.s_x, true);
  const torch::Tensor folded = z * (made.steps(s) / c.steps).reshape({1, 3, 1, 1}) + made.bias(s, c.b).reshape({1, 3, 1, 1});
  EXPECT_TRUE(torch::allclose(folded, by_batch, 1e-3, 1e-3));
}

TEST(FoldedNormalization, RoundsTheBiasToStepsOfTheLayer) {
  Channels c;
  const torch::Tensor z = c.z();
  FoldedNormalization made = begun(c, z);
  const torch::Tensor s_x = torch::tensor({0.25F});
  const torch::Tensor bias = mean_of(made.by_batch(z, c.steps, c.b, s_x, true) - z) / (s_x * c.steps);
  EXPECT_TRUE(torch::allclose(bias, (c.b / (s_x * c.steps)).round(), 1e-4, 1e-2));
}

TEST(FoldedNormalization, OneElementAChannelIsByRunningStatistics) {
  Channels c;
  FoldedNormalization made = begun(c, c.z());
  const torch::Tensor z = random_of({1, 3}, c.random);
  const torch::Tensor y = made.by_batch(z, c.steps, c.b, c.s_x, true);
  EXPECT_TRUE(torch::allclose(y, z + c.b, 1e-4, 1e-4));
  EXPECT_TRUE(torch::equal(made.steps(c.steps), c.steps));
}

struct Gradients {
  torch::Tensor y, of_z, of_s, of_b, running;
};

Gradients gradients_of(const Channels& c, FoldedNormalization& made, const torch::Tensor& z_of_rank, const torch::Tensor& g, bool counts) {
  const torch::Tensor z = z_of_rank.clone().requires_grad_();
  const torch::Tensor s = c.steps.clone().requires_grad_();
  const torch::Tensor b = c.b.clone().requires_grad_();
  const torch::Tensor y = made.by_batch(z, s, b, c.s_x, counts);
  (y * g).sum().backward();
  return {y.detach(), z.grad(), s.grad(), b.grad(), made.tensors().back().tensor};
}

// Two ranks with parts of a batch, one with rows of no batch beside it, are as one with the whole.
TEST(FoldedNormalization, RanksShareTheBatch) {
  Channels c;
  const torch::Tensor start = c.z();
  const torch::Tensor z = c.z(2) + 1;
  const torch::Tensor g = c.z();
  FoldedNormalization alone = begun(c, start);
  const Gradients whole = gradients_of(c, alone, z, g, true);
  const std::int64_t cuts[] = {0, 5, 16};
  std::vector<Gradients> parts(3);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 3; ++rank)
    threads.emplace_back([&, rank] {
      const Ranks ranks({.rank = rank, .size = 3, .address = "127.0.0.1", .port = 29413, .timeout = std::chrono::seconds(60)});
      FoldedNormalization made = begun(c, start, ranks);
      const auto at = static_cast<std::size_t>(rank);
      const bool counts = rank < 2;
      const auto part = [&](const torch::Tensor& all) { return counts ? all.slice(0, cuts[at], cuts[at + 1]) : all.slice(0, 0, 1); };
      parts[at] = gradients_of(c, made, part(z) * (counts ? 1 : 9), part(g) * (counts ? 1 : 0), counts);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(torch::allclose(at::cat({parts[0].y, parts[1].y}), whole.y, 1e-4, 1e-4));
  EXPECT_TRUE(torch::allclose(at::cat({parts[0].of_z, parts[1].of_z}), whole.of_z, 1e-3, 1e-4));
  EXPECT_TRUE(torch::allclose(parts[0].of_s + parts[1].of_s + parts[2].of_s, whole.of_s, 1e-3, 1e-3));
  EXPECT_TRUE(torch::allclose(parts[0].of_b + parts[1].of_b, whole.of_b, 1e-3, 1e-3));
  EXPECT_TRUE(torch::allclose(parts[2].running, whole.running, 1e-4, 1e-6));
}

}  // namespace
}  // namespace halftone::qat
