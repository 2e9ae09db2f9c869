#include "halftone/onnx_io/import_op.h"

#include <fmt/format.h>

#include <unordered_map>

#include "halftone/base/error.h"
#include "halftone/onnx_io/importers.h"
#include "halftone/onnx_io/tensor_proto.h"

namespace halftone::onnx_io {

Tensor constant_of(onnx::NodeProto& node, ExternalData& files) {
  const std::string where = fmt::format("Constant '{}'", node.output(0));
  if (node.attribute_size() != 1)
    throw InputError(where, fmt::format("{} values, expected one", node.attribute_size()));
  onnx::AttributeProto& value = *node.mutable_attribute(0);
  const std::string& name = value.name();
  if (name == "value" && value.has_t()) return take_tensor(*value.mutable_t(), files, where);
  if (name == "value_float") return Tensor::from<float>({}, std::vector<float>{value.f()});
  if (name == "value_int") return Tensor::from<std::int64_t>({}, std::vector<std::int64_t>{value.i()});
  if (name == "value_floats")
    return Tensor::from<float>({value.floats_size()},
                               std::vector<float>(value.floats().begin(), value.floats().end()));
  if (name == "value_ints")
    return Tensor::from<std::int64_t>({value.ints_size()},
                                      std::vector<std::int64_t>(value.ints().begin(), value.ints().end()));
  throw UnsupportedError(where, fmt::format("attribute {}, expected a tensor or numbers", name));
}

Importer find_importer(std::string_view op_type) {
  static const std::unordered_map<std::string_view, Importer> kImporters = [] {
    std::unordered_map<std::string_view, Importer> all;
    for (const auto rows : {window_importers(), elementwise_importers(), normalization_importers(),
                            move_importers(), integer_importers()})
      for (const ImporterRow& row : rows) all.emplace(row.op_type, row.importer);
    return all;
  }();
  const auto found = kImporters.find(op_type);
  return found == kImporters.end() ? nullptr : found->second;
}

}  // namespace halftone::onnx_io
