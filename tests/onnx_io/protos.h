// Models written by hand, to be wrong in one way each.
#pragma once

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "halftone/base/error.h"
#include "halftone/onnx_io/load.h"
#include "halftone/onnx_io/save.h"

namespace halftone::onnx_io {

inline std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

inline ir::Graph parse(const std::string& bytes) { return parse_model(bytes_of(bytes), "test"); }

// Whatever a model was like, what is made of it is written and read without a change.
inline ir::Graph parse(const onnx::ModelProto& model) {
  const ir::Graph graph = parse(model.SerializeAsString());
  const std::string once = serialize_model(graph);
  EXPECT_EQ(serialize_model(parse(once)), once) << "of " << model.ShortDebugString().substr(0, 500);
  return graph;
}

// The message of the E that `f` throws; a failure and "" when it throws nothing or another type.
template <typename E, typename F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another type of exception: " << error.what();
    return {};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

struct Model {
  onnx::ModelProto proto;

  explicit Model(std::int64_t opset = 13) {
    proto.set_ir_version(7);
    proto.add_opset_import()->set_version(opset);
    proto.mutable_graph()->set_name("g");
  }
  onnx::GraphProto& graph() { return *proto.mutable_graph(); }

  // A dimension of 0 is written as the symbol "N".
  onnx::ValueInfoProto& input(const std::string& name, const Shape& shape,
                              int type = onnx::TensorProto::FLOAT) {
    onnx::ValueInfoProto& info = *graph().add_input();
    info.set_name(name);
    auto* tensor = info.mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    tensor->mutable_shape();
    for (std::int64_t dim : shape) {
      if (dim == 0)
        tensor->mutable_shape()->add_dim()->set_dim_param("N");
      else
        tensor->mutable_shape()->add_dim()->set_dim_value(dim);
    }
    return info;
  }
  onnx::TensorProto& initializer(const std::string& name, const Shape& shape,
                                 const std::vector<float>& values) {
    onnx::TensorProto& tensor = *graph().add_initializer();
    fill(tensor, shape, values);
    tensor.set_name(name);
    return tensor;
  }
  onnx::TensorProto& shape_initializer(const std::string& name, const std::vector<std::int64_t>& values) {
    onnx::TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.add_dims(static_cast<std::int64_t>(values.size()));
    for (std::int64_t v : values) tensor.add_int64_data(v);
    return tensor;
  }
  onnx::TensorProto& int8_initializer(const std::string& name, const Shape& shape, std::int32_t value,
                                      int type = onnx::TensorProto::INT8) {
    onnx::TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(type);
    for (std::int64_t dim : shape) tensor.add_dims(dim);
    for (std::int64_t i = 0; i < product(shape, 0, shape.size()); ++i) tensor.add_int32_data(value);
    return tensor;
  }
  onnx::NodeProto& node(const std::string& type, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::string& name = "") {
    onnx::NodeProto& node = *graph().add_node();
    node.set_op_type(type);
    node.set_name(name);
    for (const std::string& input : inputs) node.add_input(input);
    for (const std::string& output : outputs) node.add_output(output);
    return node;
  }
  Model& output(const std::string& name) {
    graph().add_output()->set_name(name);
    return *this;
  }

  static void fill(onnx::TensorProto& tensor, const Shape& shape, const std::vector<float>& values) {
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    for (std::int64_t dim : shape) tensor.add_dims(dim);
    for (float v : values) tensor.add_float_data(v);
  }
};

inline void set(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}
inline void set(onnx::NodeProto& node, const std::string& name, float value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::FLOAT);
  attribute->set_f(value);
}
inline void set(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::STRING);
  attribute->set_s(value);
}
inline void set(onnx::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  for (std::int64_t v : values) attribute->add_ints(v);
}

}  // namespace halftone::onnx_io
