#include "halftone/onnx_io/node_reader.h"

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone::onnx_io {

NodeReader::NodeReader(const onnx::NodeProto& node, std::int64_t opset, const ir::Graph& graph,
                       std::vector<ir::ValueId> inputs)
    : node_(node), opset_(opset), graph_(graph), inputs_(std::move(inputs)) {}

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

void NodeReader::expect_all_read() const {
  for (const onnx::AttributeProto& attribute : node_.attribute())
    if (!read_.contains(attribute.name()))
      throw UnsupportedError(describe(), fmt::format("attribute {} is not known", attribute.name()));
}

float NodeReader::scalar_input(std::size_t i, const char* name, float otherwise) const {
  if (!has_input(i)) return otherwise;
  const Tensor* constant = graph_.constant(inputs_[i]);
  if (constant == nullptr)
    throw UnsupportedError(describe(), fmt::format("{} is computed at run time, expected a constant", name));
  if (constant->dtype() != DType::float32 || constant->size() != 1)
    throw InputError(describe(), fmt::format("{} is {} {}, expected one float32", name,
                                             name_of(constant->dtype()), to_string(constant->shape())));
  return constant->data<float>()[0];
}

std::vector<std::int64_t> NodeReader::integers_input(std::size_t i, const char* name) const {
  if (!has_input(i)) return {};
  const Tensor* constant = graph_.constant(inputs_[i]);
  if (constant == nullptr)
    throw UnsupportedError(describe(), fmt::format("{} is computed at run time, expected a constant", name));
  if (constant->dtype() != DType::int64 || constant->rank() > 1)
    throw InputError(describe(), fmt::format("{} is {} {}, expected a list of int64", name,
                                             name_of(constant->dtype()), to_string(constant->shape())));
  const auto values = constant->data<std::int64_t>();
  return {values.begin(), values.end()};
}

void NodeReader::keep_first_of(std::size_t most) {
  if (!has_input(0) || inputs_.size() > most)
    throw InputError(describe(), fmt::format("{} inputs, expected 1 to {}", inputs_.size(), most));
  inputs_.resize(1);
}

}  // namespace halftone::onnx_io
