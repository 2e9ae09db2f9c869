#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/onnx_io/importers.h"
#include "halftone/onnx_io/tensor_proto.h"

namespace halftone::onnx_io {
namespace {

ir::Op import_flatten(NodeReader& node) { return ir::Flatten{.axis = node.integer("axis", 1)}; }
ir::Op import_reshape(NodeReader& node) {
  return ir::Reshape{.allow_zero = node.integer("allowzero", 0) != 0};
}

ir::Op import_transpose(NodeReader& node) { return ir::Transpose{.permutation = node.integers("perm")}; }

ir::Op import_depth_to_space(NodeReader& node) {
  const std::string mode = node.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    throw InputError(node.describe(), fmt::format("mode '{}', expected DCR or CRD", mode));
  return ir::DepthToSpace{.block = node.integer("blocksize", 0), .columns_last = mode == "CRD"};
}

ir::Op import_space_to_depth(NodeReader& node) {
  return ir::SpaceToDepth{.block = node.integer("blocksize", 0)};
}

// Axes are an attribute before operator set 13, then a constant input.
template <typename Op>
ir::Op import_axes(NodeReader& node) {
  if (node.opset() < 13) return Op{.axes = node.integers("axes")};
  const Op op{.axes = node.integers_input(1, "axes")};
  node.keep_first_of(2);
  return op;
}

// At inference what comes in goes out.
ir::Op import_dropout(NodeReader& node) {
  node.real("ratio", 0.5F);
  node.integer("seed", 0);
  if (node.scalar_input(2, "training_mode", 0.0) != 0.0)
    throw UnsupportedError(node.describe(), "training_mode is set, expected inference");
  node.keep_first_of(3);
  if (node.output_count() > 1) return ir::Dropout{};
  return ir::Identity{};
}

ir::Op import_gather(NodeReader& node) { return ir::Gather{.axis = node.integer("axis", 0)}; }

ir::Op import_slice(NodeReader& node) {
  if (node.opset() < 10)
    return ir::Slice{.starts = node.integers("starts"),
                     .ends = node.integers("ends"),
                     .axes = node.integers("axes"),
                     .steps = {}};
  const ir::Slice op{.starts = node.integers_input(1, "starts"),
                     .ends = node.integers_input(2, "ends"),
                     .axes = node.integers_input(3, "axes"),
                     .steps = node.integers_input(4, "steps")};
  node.keep_first_of(5);
  return op;
}

// Sizes are given, or equal parts are asked for (the last one may be smaller).
ir::Op import_split(NodeReader& node) {
  ir::Split op{.axis = node.integer("axis", 0), .sizes = {}};
  op.sizes = node.opset() < 13 ? node.integers("split") : node.integers_input(1, "split");
  const std::int64_t count =
      node.opset() < 18 ? node.output_count() : node.integer("num_outputs", node.output_count());
  const Shape& x = node.input(0).shape;
  node.keep_first_of(2);
  if (!op.sizes.empty()) return op;
  const std::int64_t dim = x[static_cast<std::size_t>(normalize_axis(op.axis, x.size(), node.describe()))];
  if (dim == kDynamic) throw UnsupportedError(node.describe(), "splits a dimension that is not fixed");
  if (count < 1 || count > node.output_count() || (node.opset() < 18 && dim % count != 0))
    throw InputError(node.describe(), fmt::format("{} parts of {} elements", count, dim));
  const std::int64_t part = (dim + count - 1) / count;
  for (std::int64_t i = 0, rest = dim; i < count; ++i, rest -= op.sizes.back())
    op.sizes.push_back(std::min(part, rest));
  return op;
}

ir::Op import_expand(NodeReader& node) {
  ir::Expand op{.shape = node.dims_input(1, "shape")};
  const Shape& x = node.input(0).shape;
  const std::size_t lead = op.shape.size() - std::min(op.shape.size(), x.size());
  for (std::size_t i = 0; i < op.shape.size(); ++i)
    if (op.shape[i] == kDynamic && i >= lead && x[x.size() - op.shape.size() + i] == kDynamic)
      op.shape[i] = 1;
  if (!is_static(op.shape))
    throw UnsupportedError(node.describe(), "expands to a batch that is not fixed", Remedy::give_shapes);
  node.keep_first_of(2);
  return op;
}

ir::PadMode read_pad_mode(const NodeReader& node) {
  const std::string mode = node.text("mode", "constant");
  if (mode == "constant") return ir::PadMode::constant;
  if (mode == "reflect") return ir::PadMode::reflect;
  if (mode == "edge") return ir::PadMode::edge;
  if (mode == "wrap") return ir::PadMode::wrap;
  throw InputError(node.describe(), fmt::format("mode '{}', expected constant, reflect, edge or wrap", mode));
}

ir::Op import_pad(NodeReader& node) {
  ir::Pad op{.pads = {}, .mode = read_pad_mode(node)};
  if (node.opset() < 11) {
    op.pads = node.integers("pads");
    op.value = node.real("value", 0.0F);
    return op;
  }
  const std::vector<std::int64_t> pads = node.integers_input(1, "pads");
  op.value = node.scalar_input(2, "constant_value", 0.0);
  const std::vector<std::int64_t> axes = node.integers_input(3, "axes");
  const std::size_t rank = node.input(0).shape.size();
  node.keep_first_of(4);
  op.pads = pads;
  if (axes.empty()) return op;
  if (pads.size() != 2 * axes.size())
    throw InputError(node.describe(), fmt::format("{} pads for {} axes", pads.size(), axes.size()));
  op.pads.assign(2 * rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(normalize_axis(axes[i], rank, node.describe()));
    op.pads[axis] = pads[i];
    op.pads[rank + axis] = pads[axes.size() + i];
  }
  return op;
}

DType read_to(const NodeReader& node) {
  const std::int64_t to = node.integer("to", 0);
  return dtype_from(static_cast<std::int32_t>(std::clamp<std::int64_t>(to, 0, INT32_MAX)), node.describe());
}

ir::Op import_cast(NodeReader& node) {
  node.integer("saturate", 1);  // of float8 only
  node.text("round_mode", "");
  return ir::Cast{.to = read_to(node)};
}

ir::Op import_cast_like(NodeReader& node) {
  node.integer("saturate", 1);
  node.text("round_mode", "");
  const DType to = node.input(1).dtype;
  node.keep_first_of(2);
  return ir::Cast{.to = to};
}

ir::Op import_shape(NodeReader& node) {
  return ir::ShapeOf{.start = node.integer("start", 0), .end = node.integer("end", INT64_MAX)};
}

ir::Op import_constant_of_shape(NodeReader& node) {
  const onnx::TensorProto* value = node.tensor("value");
  if (value == nullptr) return ir::ConstantOfShape{};
  return ir::ConstantOfShape{.value = from_proto(*value, node.describe())};
}

ir::Coordinates read_coordinates(const NodeReader& node) {
  const std::string mode = node.text("coordinate_transformation_mode", "half_pixel");
  if (mode == "half_pixel") return ir::Coordinates::half_pixel;
  if (mode == "pytorch_half_pixel") return ir::Coordinates::pytorch_half_pixel;
  if (mode == "half_pixel_symmetric") return ir::Coordinates::half_pixel_symmetric;
  if (mode == "asymmetric") return ir::Coordinates::asymmetric;
  if (mode == "align_corners") return ir::Coordinates::align_corners;
  throw UnsupportedError(node.describe(), fmt::format("coordinate_transformation_mode '{}'", mode));
}

ir::NearestMode read_nearest(const NodeReader& node) {
  const std::string mode = node.text("nearest_mode", "round_prefer_floor");
  if (mode == "round_prefer_floor") return ir::NearestMode::round_prefer_floor;
  if (mode == "round_prefer_ceil") return ir::NearestMode::round_prefer_ceil;
  if (mode == "floor") return ir::NearestMode::floor;
  if (mode == "ceil") return ir::NearestMode::ceil;
  throw InputError(node.describe(), fmt::format("nearest_mode '{}'", mode));
}

bool read_linear(const NodeReader& node) {
  const std::string mode = node.text("mode", "nearest");
  if (mode != "nearest" && mode != "linear" && mode != "bilinear")
    throw UnsupportedError(node.describe(), fmt::format("mode '{}', expected nearest or linear", mode));
  return mode != "nearest";
}

// Operator sets up to 10: ⌊·⌋ of o/scale.
ir::Op import_upsample(NodeReader& node) {
  ir::Resize op{.scales = {}, .linear = read_linear(node)};
  op.coordinates = ir::Coordinates::asymmetric;
  op.nearest = ir::NearestMode::floor;
  op.scales = node.opset() < 9 ? node.reals("scales") : node.reals_input(1, "scales");
  // Where it makes smaller, ONNX Runtime reads the next element, not the last.
  const bool smaller = std::ranges::any_of(op.scales, [](float scale) { return scale < 1.0F; });
  const bool larger = std::ranges::any_of(op.scales, [](float scale) { return scale > 1.0F; });
  if (smaller && larger && !op.linear)
    throw UnsupportedError(node.describe(),
                           "makes some dimensions larger and others smaller; export with opset >= 11");
  if (smaller) op.nearest = ir::NearestMode::ceil;
  node.keep_first_of(2);
  return op;
}

// Sizes or scales of the dimensions in `axes`, or of all.
template <typename T>
std::vector<T> by_dimension(const NodeReader& node, const std::vector<T>& given,
                            const std::vector<std::int64_t>& axes, std::vector<T> all) {
  if (given.empty() || axes.empty()) return given;
  if (given.size() != axes.size())
    throw InputError(node.describe(), fmt::format("{} sizes for {} axes", given.size(), axes.size()));
  for (std::size_t i = 0; i < axes.size(); ++i)
    all[static_cast<std::size_t>(normalize_axis(axes[i], all.size(), node.describe()))] = given[i];
  return all;
}

ir::Op import_resize(NodeReader& node) {
  if (node.opset() < 11) return import_upsample(node);
  if (node.integer("antialias", 0) != 0 || node.integer("exclude_outside", 0) != 0 ||
      node.text("keep_aspect_ratio_policy", "stretch") != "stretch")
    throw UnsupportedError(node.describe(), "antialias, exclude_outside or keep_aspect_ratio_policy is set");
  node.real("cubic_coeff_a", -0.75F);
  node.real("extrapolation_value", 0.0F);
  ir::Resize op{
      .linear = read_linear(node), .coordinates = read_coordinates(node), .nearest = read_nearest(node)};
  const std::vector<std::int64_t> axes = node.integers("axes");
  const Shape& x = node.input(0).shape;
  op.sizes = by_dimension(node, node.dims_input(3, "sizes"), axes, x);
  if (op.sizes.empty())
    op.scales = by_dimension(node, node.reals_input(2, "scales"), axes, std::vector<float>(x.size(), 1.0F));
  node.keep_first_of(4);
  return op;
}

}  // namespace

ir::Op import_concat(NodeReader& node) { return ir::Concat{.axis = node.integer("axis", 1)}; }

std::span<const ImporterRow> move_importers() {
  static constexpr ImporterRow kRows[] = {
      {"Cast", import_cast},
      {"CastLike", import_cast_like},
      {"Concat", import_concat},
      {"ConstantOfShape", import_constant_of_shape},
      {"DepthToSpace", import_depth_to_space},
      {"Dropout", import_dropout},
      {"Expand", import_expand},
      {"Flatten", import_flatten},
      {"Gather", import_gather},
      {"Identity", import_plain<ir::Identity>},
      {"Pad", import_pad},
      {"Range", import_plain<ir::Range>},
      {"Reshape", import_reshape},
      {"Resize", import_resize},
      {"Shape", import_shape},
      {"Size", import_plain<ir::Size>},
      {"Slice", import_slice},
      {"SpaceToDepth", import_space_to_depth},
      {"Split", import_split},
      {"Squeeze", import_axes<ir::Squeeze>},
      {"Transpose", import_transpose},
      {"Unsqueeze", import_axes<ir::Unsqueeze>},
      {"Upsample", import_upsample},
      {"Where", import_plain<ir::Where>},
  };
  return kRows;
}

}  // namespace halftone::onnx_io
