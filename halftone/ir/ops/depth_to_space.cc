#include "halftone/ir/ops/depth_to_space.h"

#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/ir/ops/move.h"

namespace halftone::ir {
namespace {

constexpr std::int64_t kMaxBlock = 1 << 15;  // block² times a size is within int64

void check(std::string_view name, std::int64_t block, const Shape& x) {
  if (block < 1 || block > kMaxBlock)
    throw InputError(name, fmt::format("blocksize {}, expected 1 to {}", block, kMaxBlock));
  if (x.size() != 4) throw InputError(name, fmt::format("input of shape {}, expected 4-D", to_string(x)));
}

void check_divides(std::string_view name, std::int64_t size, std::int64_t by, std::string_view what) {
  if (size != kDynamic && size % by != 0)
    throw InputError(name, fmt::format("{} {}, expected a multiple of {}", size, what, by));
}

std::int64_t times(std::int64_t size, std::int64_t factor) {
  return size == kDynamic ? kDynamic : size * factor;
}
std::int64_t over(std::int64_t size, std::int64_t factor) {
  return size == kDynamic ? kDynamic : size / factor;
}

Shape spread(const DepthToSpace& op, const Shape& x) {
  check(op.kName, op.block, x);
  check_divides(op.kName, x[1], op.block * op.block, "channels");
  return {x[0], over(x[1], op.block * op.block), times(x[2], op.block), times(x[3], op.block)};
}

Shape stacked(const SpaceToDepth& op, const Shape& x) {
  check(op.kName, op.block, x);
  check_divides(op.kName, x[2], op.block, "rows");
  check_divides(op.kName, x[3], op.block, "columns");
  return {x[0], times(x[1], op.block * op.block), over(x[2], op.block), over(x[3], op.block)};
}

Tensor rearranged(const Tensor& x, const Shape& six, const std::vector<std::int64_t>& permutation,
                  const Shape& y) {
  const Tensor blocks = x.reshaped(six);
  const Tensor* const input = &blocks;
  return evaluate(Transpose{.permutation = permutation}, {&input, 1})[0].reshaped(y);
}

}  // namespace

std::vector<TensorType> infer(const DepthToSpace& op, InputTypes inputs) {
  return {{inputs[0]->dtype, spread(op, inputs[0]->shape)}};
}

std::vector<TensorType> infer(const SpaceToDepth& op, InputTypes inputs) {
  return {{inputs[0]->dtype, stacked(op, inputs[0]->shape)}};
}

std::vector<Tensor> evaluate(const DepthToSpace& op, InputTensors inputs) {
  const Shape& x = inputs[0]->shape();
  const Shape y = spread(op, x);
  const std::int64_t b = op.block;
  if (op.columns_last) return {rearranged(*inputs[0], {x[0], y[1], b, b, x[2], x[3]}, {0, 1, 4, 2, 5, 3}, y)};
  return {rearranged(*inputs[0], {x[0], b, b, y[1], x[2], x[3]}, {0, 3, 4, 1, 5, 2}, y)};
}

std::vector<Tensor> evaluate(const SpaceToDepth& op, InputTensors inputs) {
  const Shape& x = inputs[0]->shape();
  const Shape y = stacked(op, x);
  const std::int64_t b = op.block;
  return {rearranged(*inputs[0], {x[0], x[1], y[2], b, y[3], b}, {0, 3, 5, 1, 2, 4}, y)};
}

}  // namespace halftone::ir
