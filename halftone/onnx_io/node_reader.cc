#include "halftone/onnx_io/node_reader.h"

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone::onnx_io {

NodeReader::NodeReader(const onnx::NodeProto& node, std::int64_t opset, const ir::Graph& graph,
                       const ShapeValues& shapes, std::vector<ir::ValueId> inputs)
    : node_(node), opset_(opset), graph_(graph), shapes_(shapes), inputs_(std::move(inputs)) {}

std::string NodeReader::describe() const {
  const std::string output = node_.output_size() > 0 ? fmt::format(" -> '{}'", node_.output(0)) : "";
  return fmt::format("{} '{}'{}", node_.op_type(), node_.name(), output);
}

const onnx::AttributeProto* NodeReader::find(const char* name, int type) const {
  read_.insert(name);
  for (const onnx::AttributeProto& attribute : node_.attribute()) {
    if (attribute.name() != name) continue;
    if (!attribute.ref_attr_name().empty())
      throw UnsupportedError(describe(), fmt::format("attribute {} refers to a function's", name));
    if (attribute.type() != type)
      throw InputError(describe(), fmt::format("attribute {} has type {}, expected {}", name,
                                               static_cast<int>(attribute.type()), type));
    return &attribute;
  }
  return nullptr;
}

std::int64_t NodeReader::integer(const char* name, std::int64_t otherwise) const {
  const auto* attribute = find(name, onnx::AttributeProto::INT);
  return attribute != nullptr ? attribute->i() : otherwise;
}

float NodeReader::real(const char* name, float otherwise) const {
  const auto* attribute = find(name, onnx::AttributeProto::FLOAT);
  return attribute != nullptr ? attribute->f() : otherwise;
}

std::string NodeReader::text(const char* name, std::string otherwise) const {
  const auto* attribute = find(name, onnx::AttributeProto::STRING);
  return attribute != nullptr ? attribute->s() : otherwise;
}

std::vector<std::int64_t> NodeReader::integers(const char* name) const {
  const auto* attribute = find(name, onnx::AttributeProto::INTS);
  if (attribute == nullptr) return {};
  return {attribute->ints().begin(), attribute->ints().end()};
}

std::vector<float> NodeReader::reals(const char* name) const {
  const auto* attribute = find(name, onnx::AttributeProto::FLOATS);
  if (attribute == nullptr) return {};
  return {attribute->floats().begin(), attribute->floats().end()};
}

const onnx::TensorProto* NodeReader::tensor(const char* name) const {
  const auto* attribute = find(name, onnx::AttributeProto::TENSOR);
  return attribute == nullptr ? nullptr : &attribute->t();
}

int NodeReader::output_count() const {
  int count = node_.output_size();
  while (count > 0 && node_.output(count - 1).empty()) --count;
  return count;
}

const ir::Value& NodeReader::input(std::size_t i) const {
  if (!has_input(i)) throw InputError(describe(), fmt::format("input {} is missing", i));
  return graph_.value(inputs_[i]);
}

void NodeReader::expect_all_read() const {
  for (const onnx::AttributeProto& attribute : node_.attribute())
    if (!read_.contains(attribute.name()))
      throw UnsupportedError(describe(), fmt::format("attribute {} is not known", attribute.name()));
}

double NodeReader::scalar_input(std::size_t i, const char* name, double otherwise) const {
  if (!has_input(i)) return otherwise;
  const Tensor* constant = graph_.constant(inputs_[i]);
  if (constant == nullptr)
    throw UnsupportedError(describe(), fmt::format("{} is computed at run time, expected a constant", name), Remedy::fold_constants);
  if (constant->size() != 1)
    throw InputError(describe(), fmt::format("{} is of shape {}, expected one number", name,
                                             to_string(constant->shape())));
  return constant->cast(DType::float64).data<double>()[0];
}

const Tensor& NodeReader::constant_list(std::size_t i, const char* name) const {
  const Tensor* constant = graph_.constant(inputs_[i]);
  if (constant == nullptr)
    throw UnsupportedError(describe(), fmt::format("{} is computed at run time, expected a constant", name), Remedy::fold_constants);
  if (constant->rank() > 1)
    throw InputError(describe(),
                     fmt::format("{} is of shape {}, expected a list", name, to_string(constant->shape())));
  return *constant;
}

std::vector<std::int64_t> NodeReader::integers_input(std::size_t i, const char* name) const {
  if (!has_input(i)) return {};
  if (shapes_.find(inputs_[i]) != nullptr)
    throw UnsupportedError(
        describe(), fmt::format("{} depends on a dimension that is not fixed", name), Remedy::give_shapes);
  const Tensor& list = constant_list(i, name);
  if (list.dtype() != DType::int64 && list.dtype() != DType::int32)
    throw InputError(describe(),
                     fmt::format("{} is {}, expected int32 or int64", name, name_of(list.dtype())));
  const Tensor wide = list.cast(DType::int64);
  return {wide.data<std::int64_t>().begin(), wide.data<std::int64_t>().end()};
}

std::vector<std::int64_t> NodeReader::dims_input(std::size_t i, const char* name) const {
  const Tensor* symbolic = has_input(i) ? shapes_.find(inputs_[i]) : nullptr;
  if (symbolic == nullptr) return integers_input(i, name);
  std::vector<std::int64_t> dims;
  for (std::int64_t dim : symbolic->data<std::int64_t>()) {
    if (dim == ShapeValues::kUnknown)
      throw UnsupportedError(
          describe(), fmt::format("{} depends on a dimension that is not fixed", name), Remedy::give_shapes);
    dims.push_back(dim == ShapeValues::kBatch ? kDynamic : dim);
  }
  return dims;
}

std::vector<float> NodeReader::reals_input(std::size_t i, const char* name) const {
  if (!has_input(i)) return {};
  const Tensor& list = constant_list(i, name);
  if (!is_float(list.dtype()))
    throw InputError(describe(), fmt::format("{} is {}, expected floats", name, name_of(list.dtype())));
  const Tensor wide = list.cast(DType::float32);
  return {wide.data<float>().begin(), wide.data<float>().end()};
}

void NodeReader::keep_first_of(std::size_t most) {
  if (!has_input(0) || inputs_.size() > most)
    throw InputError(describe(), fmt::format("{} inputs, expected 1 to {}", inputs_.size(), most));
  inputs_.resize(1);
}

}  // namespace halftone::onnx_io
