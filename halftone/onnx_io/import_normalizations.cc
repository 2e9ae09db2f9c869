#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/onnx_io/importers.h"
#include "halftone/onnx_io/tensor_proto.h"

namespace halftone::onnx_io {
namespace {

ir::Op import_batch_normalization(NodeReader& node) {
  if (node.integer("spatial", 1) != 1)
    throw UnsupportedError(node.describe(), "spatial is 0, expected statistics by channel");
  const ir::BatchNormalization op{.epsilon = node.real("epsilon", 1e-5F),
                                  .momentum = node.real("momentum", 0.9F),
                                  .training = node.integer("training_mode", 0) != 0};
  if (node.output_count() > (op.training ? 3 : 1))
    throw UnsupportedError(node.describe(), "statistics as outputs, expected inference");
  return op;
}

template <typename Op>
ir::Op import_scoring(NodeReader& node) {
  const bool to_end = node.opset() < 13;
  Op op;
  op.axis = node.integer("axis", to_end ? 1 : -1);
  op.to_end = to_end;
  return op;
}

ir::Op import_arg_max(NodeReader& node) {
  return ir::ArgMax{.axis = node.integer("axis", 0),
                    .keepdims = node.integer("keepdims", 1) != 0,
                    .select_last = node.integer("select_last_index", 0) != 0};
}

template <typename Op>
ir::Op import_reduction(NodeReader& node) {
  const std::int64_t as_input = std::is_same_v<Op, ir::ReduceSum> ? 13 : 18;
  ir::ReducedAxes over{.axes = {}, .keepdims = node.integer("keepdims", 1) != 0};
  if (node.opset() < as_input) {
    over.axes = node.integers("axes");
  } else {
    over.noop_with_empty_axes = node.integer("noop_with_empty_axes", 0) != 0;
    over.axes = node.integers_input(1, "axes");
    node.keep_first_of(2);
  }
  if (!over.axes.empty()) over.noop_with_empty_axes = false;
  return Op{.over = over};
}

ir::Op import_instance_normalization(NodeReader& node) {
  return ir::InstanceNormalization{.epsilon = node.real("epsilon", 1e-5F)};
}

ir::Op import_layer_normalization(NodeReader& node) {
  node.integer("stash_type", 1);
  return ir::LayerNormalization{.axis = node.integer("axis", -1),
                                .epsilon = node.real("epsilon", 1e-5F),
                                .outputs = std::clamp(node.output_count(), 1, 3)};
}

ir::Op import_rms_normalization(NodeReader& node) {
  node.integer("stash_type", 1);
  return ir::RMSNormalization{.axis = node.integer("axis", -1), .epsilon = node.real("epsilon", 1e-5F)};
}

ir::Op import_lrn(NodeReader& node) {
  return ir::LRN{.size = node.integer("size", 0),
                 .alpha = node.real("alpha", 1e-4F),
                 .beta = node.real("beta", 0.75F),
                 .bias = node.real("bias", 1.0F)};
}

}  // namespace

std::span<const ImporterRow> normalization_importers() {
  static constexpr ImporterRow kRows[] = {
      {"ArgMax", import_arg_max},
      {"BatchNormalization", import_batch_normalization},
      {"Hardmax", import_scoring<ir::Hardmax>},
      {"InstanceNormalization", import_instance_normalization},
      {"LayerNormalization", import_layer_normalization},
      {"LogSoftmax", import_scoring<ir::LogSoftmax>},
      {"LRN", import_lrn},
      {"ReduceMax", import_reduction<ir::ReduceMax>},
      {"ReduceMean", import_reduction<ir::ReduceMean>},
      {"ReduceMin", import_reduction<ir::ReduceMin>},
      {"ReduceSum", import_reduction<ir::ReduceSum>},
      {"RMSNormalization", import_rms_normalization},
      {"Softmax", import_scoring<ir::Softmax>},
  };
  return kRows;
}

}  // namespace halftone::onnx_io
