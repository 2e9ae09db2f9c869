// plain_training_bench NETWORK ROWS BATCH EPOCHS: how long training takes that was written for one network
// (mlp, lenet, resnet20) and nothing else, on one thread and random rows, as JSON; beside it the
// multiply-adds a second that the core can do at the most.
//
// plain_training_bench --fold MODEL.onnx FOLDED.onnx: a network without batch normalizations, as the plain
// one is.
#include <fmt/format.h>
#include <malloc.h>
#include <torch/optim/adamw.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fma_rate.h"
#include "halftone/onnx_io/load.h"
#include "halftone/onnx_io/save.h"
#include "halftone/passes/pass.h"
#include "halftone/qat/torch_threads.h"

namespace {

using torch::Tensor;

constexpr std::int64_t kClasses = 10;

// Layers keep count of their multiply-adds.
class Network {
 public:
  virtual ~Network() = default;

  // Scores of pictures [rows, height, width, channels]: channels last, as convolutions are fastest.
  Tensor run(const Tensor& pictures) {
    products_ = 0;
    const Tensor scores = scores_of(pictures.permute({0, 3, 1, 2}));
    products_ /= pictures.size(0);
    return scores;
  }

  virtual std::vector<std::int64_t> picture() const = 0;  // height, width, channels
  const std::vector<Tensor>& parameters() const { return parameters_; }
  // Multiply-adds of training on a row, as of the last run: a layer's, once more for the gradient of its
  // weights, and once more for that of its input, which the first layer needs none of.
  std::int64_t products() const { return products_; }

 protected:
  virtual Tensor scores_of(const Tensor& pictures) = 0;

  Tensor weights(std::vector<std::int64_t> shape) {
    Tensor w = torch::randn(shape);
    w *= std::sqrt(2.0 / (static_cast<double>(w.numel()) / static_cast<double>(shape[0])));
    if (shape.size() == 4) w = w.contiguous(at::MemoryFormat::ChannelsLast);
    return kept(w);
  }
  Tensor bias(std::int64_t channels) { return kept(torch::zeros({channels})); }

  Tensor conv(const Tensor& x, const Tensor& w, const Tensor& b, std::int64_t stride, std::int64_t padding) {
    return counted(x, w, at::conv2d(x, w, b, stride, padding));
  }
  Tensor dense(const Tensor& x, const Tensor& w, const Tensor& b = {}) {
    return counted(x, w, at::linear(x, w, b));
  }

 private:
  Tensor kept(Tensor parameter) {
    parameters_.push_back(parameter.requires_grad_());
    return parameter;
  }
  Tensor counted(const Tensor& x, const Tensor& w, Tensor y) {
    products_ += y.numel() * w.numel() / w.size(0) * (x.requires_grad() ? 3 : 2);
    return y;
  }

  std::vector<Tensor> parameters_;
  std::int64_t products_ = 0;
};

class Mlp : public Network {
 public:
  std::vector<std::int64_t> picture() const override { return {28, 28, 1}; }

 private:
  Tensor scores_of(const Tensor& pictures) override {
    const Tensor first = dense(pictures.reshape({pictures.size(0), 784}), w1_).tanh();
    return dense(dense(first, w2_).tanh(), w3_);
  }

  Tensor w1_ = weights({128, 784});
  Tensor w2_ = weights({64, 128});
  Tensor w3_ = weights({kClasses, 64});
};

class Lenet : public Network {
 public:
  std::vector<std::int64_t> picture() const override { return {32, 32, 3}; }

 private:
  Tensor scores_of(const Tensor& pictures) override {
    Tensor x = at::max_pool2d(conv(pictures, c1_, {}, 1, 0).relu(), 2);
    x = at::max_pool2d(conv(x, c2_, {}, 1, 0).relu(), 2);
    x = x.permute({0, 2, 3, 1}).reshape({x.size(0), 400});
    return dense(dense(dense(x, w1_).relu(), w2_).relu(), w3_);
  }

  Tensor c1_ = weights({6, 3, 5, 5});
  Tensor c2_ = weights({16, 6, 5, 5});
  Tensor w1_ = weights({120, 400});
  Tensor w2_ = weights({84, 120});
  Tensor w3_ = weights({kClasses, 84});
};

// He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2, batch normalizations
// folded; where the width doubles, the sum takes the pictures through a convolution of one pixel.
class Resnet20 : public Network {
 public:
  Resnet20() {
    std::int64_t channels = 16;
    for (std::int64_t width : {16, 32, 64})
      for (int i = 0; i < 3; ++i) {
        Block block{.w1 = weights({width, channels, 3, 3}),
                    .b1 = bias(width),
                    .w2 = weights({width, width, 3, 3}),
                    .b2 = bias(width)};
        if (width != channels) block.shortcut = weights({width, channels, 1, 1});
        blocks_.push_back(block);
        channels = width;
      }
  }
  std::vector<std::int64_t> picture() const override { return {32, 32, 3}; }

 private:
  struct Block {
    Tensor w1, b1, w2, b2;
    Tensor shortcut = {};  // undefined where the width stays
  };

  Tensor scores_of(const Tensor& pictures) override {
    Tensor x = conv(pictures, first_, first_bias_, 1, 1).relu();
    for (const Block& block : blocks_) {
      const std::int64_t stride = block.shortcut.defined() ? 2 : 1;
      const Tensor inner = conv(x, block.w1, block.b1, stride, 1).relu();
      const Tensor around = block.shortcut.defined() ? conv(x, block.shortcut, {}, stride, 0) : x;
      x = (conv(inner, block.w2, block.b2, 1, 1) + around).relu();
    }
    return dense(x.mean({2, 3}), last_, last_bias_);
  }

  Tensor first_ = weights({16, 3, 3, 3});
  Tensor first_bias_ = bias(16);
  std::vector<Block> blocks_;
  Tensor last_ = weights({kClasses, 64});
  Tensor last_bias_ = bias(kClasses);
};

std::unique_ptr<Network> network_of(std::string_view name) {
  if (name == "mlp") return std::make_unique<Mlp>();
  if (name == "lenet") return std::make_unique<Lenet>();
  if (name == "resnet20") return std::make_unique<Resnet20>();
  throw std::invalid_argument(fmt::format("network, got '{}', expected mlp, lenet or resnet20", name));
}

// Memory of one step serves the next. A program that has read a file comes to that by itself: glibc gives
// freed memory back to the system until it has seen a large block freed.
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 25);
  mallopt(M_TRIM_THRESHOLD, 1 << 26);
}

struct Rows {
  Tensor pictures;
  Tensor labels;
};

double train_epoch(Network& network, torch::optim::AdamW& optimizer, const Rows& rows, std::int64_t batch) {
  const std::int64_t count = rows.labels.size(0);
  const Tensor order = torch::randperm(count, at::kLong);
  double loss_sum = 0.0;
  for (std::int64_t first = 0; first < count; first += batch) {
    const Tensor chosen = order.slice(0, first, std::min(first + batch, count));
    const Tensor scores = network.run(rows.pictures.index_select(0, chosen));
    const Tensor loss = at::cross_entropy_loss(scores, rows.labels.index_select(0, chosen));
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    loss_sum += loss.item<double>() * static_cast<double>(chosen.size(0));
  }
  return loss_sum / static_cast<double>(count);
}

void measure(std::string_view name, std::int64_t count, std::int64_t batch, int epochs) {
  keep_memory();
  halftone::qat::set_torch_threads(1);
  torch::manual_seed(1);
  const std::unique_ptr<Network> network = network_of(name);
  std::vector<std::int64_t> shape = network->picture();
  shape.insert(shape.begin(), count);
  const Rows rows{torch::rand(shape), torch::randint(kClasses, {count}, at::kLong)};
  torch::optim::AdamW optimizer(network->parameters(), torch::optim::AdamWOptions(1e-3));
  const double before = halftone::fma_rate();
  const auto start = std::chrono::steady_clock::now();
  double loss = 0.0;
  for (int i = 0; i < epochs; ++i) loss = train_epoch(*network, optimizer, rows, batch);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / epochs;
  const double ceiling = std::max(before, halftone::fma_rate());
  const auto products = static_cast<double>(network->products() * count);
  fmt::print(
      "{{\"seconds\": {:.5f}, \"loss\": {:.4f}, \"products\": {:.0f}, \"products_per_second\": {:.6g}, "
      "\"fma_per_second\": {:.6g}}}\n",
      seconds, loss, products, products / seconds, ceiling);
}

void fold(const char* from, const char* to) {
  halftone::onnx_io::save_model(halftone::passes::simplify(halftone::onnx_io::load_model(from)), to);
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 3 && arguments[0] == "--fold") {
    fold(argv[2], argv[3]);
    return 0;
  }
  if (arguments.size() != 4) {
    fmt::print(stderr,
               "usage: plain_training_bench NETWORK ROWS BATCH EPOCHS, or --fold MODEL.onnx FOLDED.onnx\n");
    return 2;
  }
  measure(arguments[0], std::stol(arguments[1]), std::stol(arguments[2]), std::stoi(arguments[3]));
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "plain_training_bench: {}\n", error.what());
  return 3;
}
