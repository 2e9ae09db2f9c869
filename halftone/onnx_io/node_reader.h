// One ONNX node as the importers see it: attributes by name and constant inputs, with checked types.
#pragma once

#include <onnx/onnx_pb.h>

#include <set>
#include <string>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/onnx_io/shape_values.h"

namespace halftone::onnx_io {

class NodeReader {
 public:
  NodeReader(const onnx::NodeProto& node, std::int64_t opset, const ir::Graph& graph,
             const ShapeValues& shapes, std::vector<ir::ValueId> inputs);

  std::int64_t opset() const { return opset_; }
  std::string describe() const;

  // Attributes; the default when absent. Throw InputError for another attribute type.
  std::int64_t integer(const char* name, std::int64_t otherwise) const;
  float real(const char* name, float otherwise) const;
  std::string text(const char* name, std::string otherwise) const;
  std::vector<std::int64_t> integers(const char* name) const;
  std::vector<float> reals(const char* name) const;
  // nullptr when absent.
  const onnx::TensorProto* tensor(const char* name) const;
  // Throws UnsupportedError when an attribute is there that none of the calls above has asked for.
  void expect_all_read() const;

  std::size_t input_count() const { return inputs_.size(); }
  bool has_input(std::size_t i) const { return i < inputs_.size() && inputs_[i] != ir::kNoValue; }
  // How many outputs are named.
  int output_count() const;
  const ir::Value& input(std::size_t i) const;
  // A constant of one number; the default when absent. Throws UnsupportedError when it is computed.
  double scalar_input(std::size_t i, const char* name, double otherwise) const;
  // Throws InputError unless there are 1 to `most` inputs and the first is there; then keeps the first alone.
  void keep_first_of(std::size_t most);
  // A constant list of int32 or int64, or of float32; empty when absent. Throws UnsupportedError when it is
  // computed.
  std::vector<std::int64_t> integers_input(std::size_t i, const char* name) const;
  std::vector<float> reals_input(std::size_t i, const char* name) const;
  // The same for dimensions, where kDynamic stands for the batch.
  std::vector<std::int64_t> dims_input(std::size_t i, const char* name) const;
  std::vector<ir::ValueId>& inputs() { return inputs_; }

 private:
  const Tensor& constant_list(std::size_t i, const char* name) const;
  const onnx::AttributeProto* find(const char* name, int type) const;

  const onnx::NodeProto& node_;
  std::int64_t opset_;
  const ir::Graph& graph_;
  const ShapeValues& shapes_;
  std::vector<ir::ValueId> inputs_;
  mutable std::set<std::string> read_;
};

}  // namespace halftone::onnx_io
