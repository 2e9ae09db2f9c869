#include "halftone/ir/ops/reshape.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::ir {
namespace {

std::int64_t dynamic_product(const Shape& shape, std::size_t first, std::size_t last) {
  std::int64_t result = 1;
  for (std::size_t i = first; i < last; ++i) {
    if (shape[i] == kDynamic) return kDynamic;
    result *= shape[i];
  }
  return result;
}

Shape flattened(const Flatten& op, const Shape& x) {
  const auto rank = static_cast<std::int64_t>(x.size());
  if (op.axis < -rank || op.axis > rank)
    throw InputError("Flatten", fmt::format("axis {} outside shape {}", op.axis, to_string(x)));
  const auto axis = static_cast<std::size_t>(op.axis < 0 ? op.axis + rank : op.axis);
  return {dynamic_product(x, 0, axis), dynamic_product(x, axis, x.size())};
}

// The product of the known dimensions; at most one may be dynamic.
struct Known {
  std::int64_t product = 1;
  int dynamic = 0;
};
Known known(const Shape& shape) {
  Known result;
  Shape fixed;
  for (std::int64_t dim : shape) {
    if (dim == kDynamic)
      ++result.dynamic;
    else
      fixed.push_back(dim);
  }
  result.product = element_count(fixed, "Reshape");
  return result;
}

Shape target_shape(const Reshape& op, const Shape& x, std::span<const std::int64_t> request) {
  Shape y(request.begin(), request.end());
  std::ptrdiff_t rest = -1;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (y[i] == 0 && !op.allow_zero) {
      if (i >= x.size())
        throw InputError("Reshape", fmt::format("0 at {} copies a dimension that {} lacks", i, to_string(x)));
      y[i] = x[i];
    } else if (y[i] == -1) {
      if (rest >= 0) throw InputError("Reshape", "more than one -1 in the shape");
      rest = static_cast<std::ptrdiff_t>(i);
    } else if (y[i] < 0) {
      throw InputError("Reshape", fmt::format("negative dimension {}", y[i]));
    }
  }
  if (rest >= 0) y.erase(y.begin() + rest);
  const Known from = known(x);
  const Known to = known(y);
  std::int64_t remainder = kDynamic;
  if (from.dynamic == to.dynamic) {
    if (to.product == 0 ? rest >= 0 || from.product != 0 : from.product % to.product != 0)
      throw InputError("Reshape", fmt::format("{} does not reshape to {}", to_string(x),
                                              to_string(Shape(request.begin(), request.end()))));
    remainder = to.product == 0 ? 0 : from.product / to.product;
  }
  if (rest >= 0) {
    y.insert(y.begin() + rest, remainder);
  } else if (remainder != 1 && remainder != kDynamic && to.product != 0) {
    throw InputError("Reshape", fmt::format("{} does not reshape to {}", to_string(x), to_string(y)));
  }
  return y;
}

}  // namespace

std::vector<TensorType> infer(const Identity&, InputTypes inputs) { return {*inputs[0]}; }
std::vector<TensorType> infer(const Flatten& op, InputTypes inputs) {
  return {{inputs[0]->dtype, flattened(op, inputs[0]->shape)}};
}
std::vector<TensorType> infer(const Reshape& op, InputTypes inputs) {
  const Tensor* request = inputs[1]->constant;
  if (request == nullptr)
    throw UnsupportedError("Reshape", "shape computed at run time, expected a constant", Remedy::fold_constants);
  if (request->dtype() != DType::int64 || request->rank() != 1)
    throw InputError("Reshape", fmt::format("shape input is {} of shape {}, expected int64 of rank 1",
                                            name_of(request->dtype()), to_string(request->shape())));
  return {{inputs[0]->dtype, target_shape(op, inputs[0]->shape, request->data<std::int64_t>())}};
}

std::vector<Tensor> evaluate(const Identity&, InputTensors inputs) { return {*inputs[0]}; }
std::vector<Tensor> evaluate(const Flatten& op, InputTensors inputs) {
  return {inputs[0]->reshaped(flattened(op, inputs[0]->shape()))};
}
std::vector<Tensor> evaluate(const Reshape& op, InputTensors inputs) {
  return {inputs[0]->reshaped(target_shape(op, inputs[0]->shape(), inputs[1]->data<std::int64_t>()))};
}

}  // namespace halftone::ir
