// Draws quantizers as they are in training: quantizer_figures FOLDER writes ste.svg and pact.svg, rounding to 3 bits and its gradients.
#include <torch/types.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>

#include "halftone/base/error.h"
#include "halftone/qat/quantizers/activation_quantizer.h"
#include "halftone/report/line_plot.h"

namespace {

using halftone::qat::ActivationQuantizer;
using halftone::report::LinePlot;

constexpr int kEnd = 2;         // x from -2 to 2
constexpr int kPerUnit = 1024;  // so fine that jumps look upright; with steps that are powers of two every number is exact

using Function = std::function<double(double x)>;

// The corners alone: points that lie on the line between their neighbours are left out.
LinePlot::Curve curve(const char* name, const Function& f) {
  std::vector<LinePlot::Point> all;
  for (int i = -kEnd * kPerUnit; i <= kEnd * kPerUnit; ++i) {
    const double x = static_cast<double>(i) / kPerUnit;
    all.push_back({.x = x, .y = f(x)});
  }
  LinePlot::Curve made{.name = name, .points = {all.front()}, .dots = false};
  for (std::size_t i = 1; i + 1 < all.size(); ++i)
    if (all[i].y - all[i - 1].y != all[i + 1].y - all[i].y) made.points.push_back(all[i]);
  made.points.push_back(all.back());
  return made;
}

torch::Tensor variable(double x) { return torch::full({1}, x).requires_grad_(); }

Function rounded(ActivationQuantizer& quantizer) {
  return [&](double x) {
    quantizer.begin(/*training=*/true);
    return quantizer.forward(variable(x)).item<double>();
  };
}

Function gradient_by_x(ActivationQuantizer& quantizer) {
  return [&](double x) {
    quantizer.begin(/*training=*/true);
    const torch::Tensor leaf = variable(x);
    quantizer.forward(leaf).backward();
    return leaf.grad().item<double>();
  };
}

// α = s·hi and s = s0·e^u, u being trained: ∂y/∂α = ∂y/∂u / α.
Function gradient_by_alpha(ActivationQuantizer& quantizer, double alpha) {
  torch::Tensor u = quantizer.tensors().at(0).tensor;
  return [&quantizer, alpha, u](double x) {
    u.mutable_grad() = torch::Tensor();
    quantizer.begin(/*training=*/true);
    quantizer.forward(variable(x)).backward();
    return u.grad().item<double>() / alpha;
  };
}

LinePlot straight_through() {
  const auto quantizer = halftone::qat::straight_through({.format = {3, /*is_signed=*/true, /*narrow=*/true}, .affine = {.scale = 0.5F}});
  return {.title = "Straight-through rounding: 3 bits, s = 0.5",
          .x_title = "x",
          .y_title = "y and its gradient",
          .curves = {curve("y = s·clamp(round(x/s), -3, 3)", rounded(*quantizer)), curve("∂y/∂x in training", gradient_by_x(*quantizer))},
          .with_zero = false};
}

LinePlot learnt_clipping() {
  constexpr float kStep = 0.25F;
  constexpr double kAlpha = 7 * kStep;
  const auto quantizer = halftone::qat::learnt_clipping({.format = {3, /*is_signed=*/false}, .affine = {.scale = kStep}});
  return {.title = "PACT: 3 bits, the clipping α = 1.75 is learnt",
          .x_title = "x",
          .y_title = "y and its gradients",
          .curves = {curve("y = (α/7)·round(7·clamp(x, 0, α)/α)", rounded(*quantizer)), curve("∂y/∂x in training", gradient_by_x(*quantizer)),
                     curve("∂y/∂α in training", gradient_by_alpha(*quantizer, kAlpha))},
          .mark = LinePlot::Mark{kAlpha, "α"},
          .with_zero = false};
}

void write(const std::filesystem::path& path, const LinePlot& plot) {
  std::ofstream file(path, std::ios::binary);
  file << halftone::report::line_plot(plot);
  file.close();
  if (!file) throw halftone::SystemError(path.string(), "cannot be written");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) throw halftone::UsageError("quantizer_figures", "expected FOLDER");
  const std::filesystem::path folder(argv[1]);
  write(folder / "ste.svg", straight_through());
  write(folder / "pact.svg", learnt_clipping());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
