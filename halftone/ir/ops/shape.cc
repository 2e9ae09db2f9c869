#include "halftone/ir/ops/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/ir/ops/unary.h"

namespace halftone::ir {
namespace {

Shape part_of(const ShapeOf& op, const Shape& x) {
  const auto rank = static_cast<std::int64_t>(x.size());
  const auto place = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? std::max(at, -rank) + rank : at, 0, rank);
  };
  const std::int64_t first = place(op.start);
  return Shape(x.begin() + first, x.begin() + std::max(first, place(op.end)));
}

// The number of elements of a Range, and the values of its three scalars.
template <typename T>
struct Counted {
  T start{};
  T delta{};
  std::int64_t count = 0;
};

template <typename T>
Counted<T> count_range(const Tensor& start, const Tensor& limit, const Tensor& delta) {
  Counted<T> result{start.data<T>()[0], delta.data<T>()[0]};
  const double step = static_cast<double>(static_cast<Compute<T>>(result.delta));
  const double span = static_cast<double>(static_cast<Compute<T>>(limit.data<T>()[0])) -
                      static_cast<double>(static_cast<Compute<T>>(result.start));
  if (step == 0.0 || !std::isfinite(span / step))
    throw InputError("Range", fmt::format("a step of {}", step));
  const double count = std::max(0.0, std::ceil(span / step));
  if (count > static_cast<double>(kMaxElements)) throw InputError("Range", fmt::format("{} elements", count));
  result.count = static_cast<std::int64_t>(count);
  return result;
}

void check_range(const Tensor* start, const Tensor* limit, const Tensor* delta) {
  for (const Tensor* scalar : {start, limit, delta}) {
    if (scalar == nullptr)
      throw UnsupportedError("Range", "a bound computed at run time, expected a constant", Remedy::fold_constants);
    if (scalar->size() != 1 || scalar->dtype() != start->dtype() || scalar->dtype() == DType::boolean)
      throw InputError("Range", fmt::format("a bound is {} {}, expected scalars of one type of number",
                                            name_of(scalar->dtype()), to_string(scalar->shape())));
  }
}

Shape shape_from(const Tensor* shape) {
  if (shape == nullptr)
    throw UnsupportedError("ConstantOfShape", "shape computed at run time, expected a constant", Remedy::fold_constants);
  if (shape->dtype() != DType::int64 || shape->rank() != 1)
    throw InputError("ConstantOfShape", fmt::format("shape is {} of rank {}, expected a list of int64",
                                                    name_of(shape->dtype()), shape->rank()));
  const auto dims = shape->data<std::int64_t>();
  Shape result(dims.begin(), dims.end());
  element_count(result, "ConstantOfShape");
  return result;
}

}  // namespace

std::vector<TensorType> infer(const ShapeOf& op, InputTypes inputs) {
  return {{DType::int64, {static_cast<std::int64_t>(part_of(op, inputs[0]->shape).size())}}};
}

std::vector<TensorType> infer(const Size&, InputTypes) { return {{DType::int64, {}}}; }

std::vector<TensorType> infer(const Range&, InputTypes inputs) {
  check_range(inputs[0]->constant, inputs[1]->constant, inputs[2]->constant);
  return {{inputs[0]->dtype, {dispatch_dtype(inputs[0]->dtype, [&](auto tag) {
             return count_range<decltype(tag)>(*inputs[0]->constant, *inputs[1]->constant,
                                               *inputs[2]->constant)
                 .count;
           })}}};
}

std::vector<TensorType> infer(const ConstantOfShape& op, InputTypes inputs) {
  if (op.value.size() != 1) throw InputError("ConstantOfShape", "the value is not one element");
  return {{op.value.dtype(), shape_from(inputs[0]->constant)}};
}

std::vector<Tensor> evaluate(const ShapeOf& op, InputTensors inputs) {
  const Shape part = part_of(op, inputs[0]->shape());
  return {Tensor::from<std::int64_t>({static_cast<std::int64_t>(part.size())}, part)};
}

std::vector<Tensor> evaluate(const Size&, InputTensors inputs) {
  const std::int64_t size = inputs[0]->size();
  return {Tensor::from<std::int64_t>({}, {&size, 1})};
}

std::vector<Tensor> evaluate(const Range&, InputTensors inputs) {
  check_range(inputs[0], inputs[1], inputs[2]);
  return {dispatch_dtype(inputs[0]->dtype(), [&](auto tag) {
    using T = decltype(tag);
    const Counted<T> range = count_range<T>(*inputs[0], *inputs[1], *inputs[2]);
    Tensor y(inputs[0]->dtype(), {range.count});
    auto out = y.mutable_data<T>();
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] =
          rounded_to<T>(static_cast<double>(static_cast<Compute<T>>(range.start)) +
                        static_cast<double>(i) * static_cast<double>(static_cast<Compute<T>>(range.delta)));
    return y;
  })};
}

std::vector<Tensor> evaluate(const ConstantOfShape& op, InputTensors inputs) {
  Tensor y(op.value.dtype(), shape_from(inputs[0]));
  const std::size_t size = size_of(y.dtype());
  std::span<std::byte> out = y.mutable_bytes();
  for (std::size_t i = 0; i < out.size(); i += size)
    std::memcpy(out.data() + i, op.value.bytes().data(), size);
  return {y};
}

}  // namespace halftone::ir
