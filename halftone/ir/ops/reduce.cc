#include "halftone/ir/ops/reduce.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"

namespace halftone::ir {
namespace {

// Which of the dimensions go.
std::vector<bool> reduced(const ReducedAxes& over, std::size_t rank, std::string_view where) {
  const bool all = over.axes.empty() && !over.noop_with_empty_axes;
  std::vector<bool> mark(rank, all);
  for (std::int64_t axis : over.axes)
    mark[static_cast<std::size_t>(normalize_axis(axis, rank, where))] = true;
  return mark;
}

// x with 1 in place of the dimensions that go, or without them.
Shape reduced_shape(const Shape& x, const std::vector<bool>& mark, bool keep) {
  Shape y;
  for (std::size_t d = 0; d < x.size(); ++d)
    if (!mark[d] || keep) y.push_back(mark[d] ? 1 : x[d]);
  return y;
}

template <typename Op>
std::vector<TensorType> infer_reduction(const Op& op, InputTypes inputs) {
  const std::vector<bool> mark = reduced(op.over, inputs[0]->shape.size(), Op::kName);
  if (inputs[0]->dtype == DType::boolean) throw UnsupportedError(Op::kName, "elements of type bool");
  return {{inputs[0]->dtype, reduced_shape(inputs[0]->shape, mark, op.over.keepdims)}};
}

// Starts every output at `start`, adds every element by `add`, and ends with `finish(sum, count)`.
template <typename Wide, typename Op, typename Add, typename Finish>
Tensor reduce(const Op& op, const Tensor& x, Wide start, Add&& add, Finish&& finish) {
  const std::vector<bool> mark = reduced(op.over, x.rank(), Op::kName);
  const Shape kept = reduced_shape(x.shape(), mark, true);
  const std::vector<std::int64_t> index = broadcast_index(kept, x.shape());
  Tensor y(x.dtype(), reduced_shape(x.shape(), mark, op.over.keepdims));
  std::vector<Wide> sums(static_cast<std::size_t>(y.size()), start);
  double count = 1.0;
  for (std::size_t d = 0; d < mark.size(); ++d)
    if (mark[d]) count *= static_cast<double>(x.dim(d));
  dispatch_dtype(x.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const auto in = x.data<T>();
    for (std::size_t i = 0; i < in.size(); ++i) {
      Wide& sum = sums[static_cast<std::size_t>(index[i])];
      sum = add(sum, static_cast<Wide>(in[i]));
    }
    auto out = y.template mutable_data<T>();
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<T>(static_cast<Compute<T>>(finish(sums[i], count)));
  });
  return y;
}

// `f` with the type in which elements of x are added up: double, or int64 with wrap-around.
template <typename F>
Tensor with_wide(const Tensor& x, F&& f) {
  return is_float(x.dtype()) ? f(double{}) : f(std::int64_t{});
}

constexpr auto kKeep = [](auto sum, double) { return sum; };

template <typename Wide>
Wide plus(Wide a, Wide b) {
  if constexpr (std::is_integral_v<Wide>)
    return static_cast<Wide>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  else
    return a + b;
}

template <typename Wide>
constexpr Wide kTop = std::numeric_limits<Wide>::has_infinity ? std::numeric_limits<Wide>::infinity()
                                                              : std::numeric_limits<Wide>::max();
template <typename Wide>
constexpr Wide kBottom = std::numeric_limits<Wide>::has_infinity ? -std::numeric_limits<Wide>::infinity()
                                                                 : std::numeric_limits<Wide>::min();

}  // namespace

std::vector<TensorType> infer(const ReduceMean& op, InputTypes inputs) { return infer_reduction(op, inputs); }
std::vector<TensorType> infer(const ReduceSum& op, InputTypes inputs) { return infer_reduction(op, inputs); }
std::vector<TensorType> infer(const ReduceMax& op, InputTypes inputs) { return infer_reduction(op, inputs); }
std::vector<TensorType> infer(const ReduceMin& op, InputTypes inputs) { return infer_reduction(op, inputs); }

std::vector<Tensor> evaluate(const ReduceMean& op, InputTensors inputs) {
  return {with_wide(*inputs[0], [&](auto wide) {
    using Wide = decltype(wide);
    return reduce(op, *inputs[0], Wide{0}, plus<Wide>, [](Wide sum, double count) {
      if constexpr (std::is_integral_v<Wide>)
        return count > 0 ? sum / static_cast<Wide>(count) : Wide{0};
      else
        return sum / count;
    });
  })};
}

std::vector<Tensor> evaluate(const ReduceSum& op, InputTensors inputs) {
  return {with_wide(*inputs[0], [&](auto wide) {
    using Wide = decltype(wide);
    return reduce(op, *inputs[0], Wide{0}, plus<Wide>, kKeep);
  })};
}

std::vector<Tensor> evaluate(const ReduceMax& op, InputTensors inputs) {
  return {with_wide(*inputs[0], [&](auto wide) {
    using Wide = decltype(wide);
    return reduce(
        op, *inputs[0], kBottom<Wide>, [](Wide a, Wide b) { return b > a || b != b ? b : a; }, kKeep);
  })};
}

std::vector<Tensor> evaluate(const ReduceMin& op, InputTensors inputs) {
  return {with_wide(*inputs[0], [&](auto wide) {
    using Wide = decltype(wide);
    return reduce(
        op, *inputs[0], kTop<Wide>, [](Wide a, Wide b) { return b < a || b != b ? b : a; }, kKeep);
  })};
}

}  // namespace halftone::ir
