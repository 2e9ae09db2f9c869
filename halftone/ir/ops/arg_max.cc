#include "halftone/base/error.h"
#include "halftone/ir/ops/softmax.h"

namespace halftone::ir {
namespace {

Shape arg_shape(const ArgMax& op, Shape x) {
  const int axis = normalize_axis(op.axis, x.size(), "ArgMax");
  if (op.keepdims)
    x[static_cast<std::size_t>(axis)] = 1;
  else
    x.erase(x.begin() + axis);
  return x;
}

}  // namespace

std::vector<TensorType> infer(const ArgMax& op, InputTypes inputs) {
  const Shape y = arg_shape(op, inputs[0]->shape);
  if (inputs[0]
          ->shape[static_cast<std::size_t>(normalize_axis(op.axis, inputs[0]->shape.size(), "ArgMax"))] == 0)
    throw InputError("ArgMax", "an axis without elements");
  return {{DType::int64, y}};
}

std::vector<Tensor> evaluate(const ArgMax& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  const auto axis = static_cast<std::size_t>(normalize_axis(op.axis, x.rank(), "ArgMax"));
  const std::int64_t inner = product(x.shape(), axis + 1, x.rank());
  const std::int64_t count = x.dim(axis);
  Tensor y(DType::int64, arg_shape(op, x.shape()));
  auto out = y.mutable_data<std::int64_t>();
  dispatch_dtype(x.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const T* in = x.data<T>().data();
    const auto at = [&](std::int64_t start, std::int64_t i) {
      return static_cast<Compute<T>>(in[start + i * inner]);
    };
    for (std::size_t o = 0; o < out.size(); ++o) {
      const auto place = static_cast<std::int64_t>(o);
      const std::int64_t start = place / inner * count * inner + place % inner;
      for (std::int64_t i = 1; i < count; ++i) {
        const auto best = at(start, out[o]);
        if (at(start, i) > best || (op.select_last && at(start, i) == best)) out[o] = i;
      }
    }
  });
  return {y};
}

}  // namespace halftone::ir
