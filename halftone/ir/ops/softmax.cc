#include "halftone/ir/ops/softmax.h"

#include <algorithm>
#include <cmath>

namespace halftone::ir {
namespace {

// One line of scores: `count` elements, `step` apart.
struct Line {
  const float* x;
  float* y;
  std::int64_t count;
  std::int64_t step;

  double in(std::int64_t i) const { return x[i * step]; }
  double largest() const {
    double result = -INFINITY;
    for (std::int64_t i = 0; i < count; ++i) result = std::max(result, in(i));
    return result;
  }
  double sum(double top) const {
    double result = 0.0;
    for (std::int64_t i = 0; i < count; ++i) result += std::exp(in(i)-top);
    return result;
  }
  void set(std::int64_t i, double value) const { y[i * step] = static_cast<float>(value); }
};

template <typename F>
Tensor for_lines(const ScoredAxis& op, const Tensor& x, std::string_view where, F&& f) {
  const auto axis = static_cast<std::size_t>(normalize_axis(op.axis, x.rank(), where));
  const std::size_t end = op.to_end ? x.rank() : axis + 1;
  const std::int64_t outer = product(x.shape(), 0, axis);
  const std::int64_t count = product(x.shape(), axis, end);
  const std::int64_t inner = product(x.shape(), end, x.rank());
  Tensor y(DType::float32, x.shape());
  if (y.size() == 0) return y;
  const float* in = x.data<float>().data();
  float* out = y.mutable_data<float>().data();
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i = 0; i < inner; ++i) {
      const std::int64_t start = o * count * inner + i;
      f(Line{in + start, out + start, count, inner});
    }
  return y;
}

}  // namespace

std::vector<Tensor> evaluate(const Softmax& op, InputTensors inputs) {
  return {for_lines(op, *inputs[0], "Softmax", [](const Line& line) {
    const double top = line.largest();
    const double sum = line.sum(top);
    for (std::int64_t i = 0; i < line.count; ++i) line.set(i, std::exp(line.in(i)-top) / sum);
  })};
}

std::vector<Tensor> evaluate(const LogSoftmax& op, InputTensors inputs) {
  return {for_lines(op, *inputs[0], "LogSoftmax", [](const Line& line) {
    const double top = line.largest();
    const double log_sum = std::log(line.sum(top));
    for (std::int64_t i = 0; i < line.count; ++i) line.set(i, line.in(i)-top - log_sum);
  })};
}

std::vector<Tensor> evaluate(const Hardmax& op, InputTensors inputs) {
  return {for_lines(op, *inputs[0], "Hardmax", [](const Line& line) {
    std::int64_t best = 0;
    for (std::int64_t i = 1; i < line.count; ++i)
      if (line.in(i) > line.in(best)) best = i;
    for (std::int64_t i = 0; i < line.count; ++i) line.set(i, i == best ? 1.0 : 0.0);
  })};
}

}  // namespace halftone::ir
