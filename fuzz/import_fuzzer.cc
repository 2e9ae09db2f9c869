// Fuzzes the reading of models: scripts/fuzz builds and runs it. See import_once.h for what it demands.
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "fuzz/import_once.h"

namespace {

using Random = std::minstd_rand;

constexpr const char* kOps[] = {"Abs",
                                "Add",
                                "ArgMax",
                                "AveragePool",
                                "BatchNormalization",
                                "Cast",
                                "CastLike",
                                "Clip",
                                "Concat",
                                "Constant",
                                "ConstantOfShape",
                                "Conv",
                                "ConvInteger",
                                "ConvTranspose",
                                "DequantizeLinear",
                                "Div",
                                "Dropout",
                                "DynamicQuantizeLinear",
                                "Elu",
                                "Equal",
                                "Erf",
                                "Exp",
                                "Expand",
                                "Flatten",
                                "Gather",
                                "Gelu",
                                "Gemm",
                                "GlobalAveragePool",
                                "GlobalMaxPool",
                                "Greater",
                                "GreaterOrEqual",
                                "HardSigmoid",
                                "HardSwish",
                                "Hardmax",
                                "Identity",
                                "InstanceNormalization",
                                "LRN",
                                "LayerNormalization",
                                "LeakyRelu",
                                "Less",
                                "LessOrEqual",
                                "Log",
                                "LogSoftmax",
                                "MatMul",
                                "MatMulInteger",
                                "Max",
                                "MaxPool",
                                "Mean",
                                "Min",
                                "Mul",
                                "Neg",
                                "PRelu",
                                "Pad",
                                "Pow",
                                "QLinearConv",
                                "QLinearMatMul",
                                "QuantizeLinear",
                                "RMSNormalization",
                                "Range",
                                "Reciprocal",
                                "ReduceMax",
                                "ReduceMean",
                                "ReduceMin",
                                "ReduceSum",
                                "Relu",
                                "Reshape",
                                "Resize",
                                "Round",
                                "Selu",
                                "Shape",
                                "Sigmoid",
                                "Size",
                                "Slice",
                                "Softmax",
                                "Split",
                                "Sqrt",
                                "Squeeze",
                                "Sub",
                                "Sum",
                                "Swish",
                                "Tanh",
                                "Transpose",
                                "Unsqueeze",
                                "Upsample",
                                "Where"};
constexpr const char* kAttributes[] = {"allowzero",
                                       "alpha",
                                       "auto_pad",
                                       "axes",
                                       "axis",
                                       "beta",
                                       "bias",
                                       "block_size",
                                       "ceil_mode",
                                       "coordinate_transformation_mode",
                                       "dilations",
                                       "end",
                                       "ends",
                                       "epsilon",
                                       "exclusive",
                                       "group",
                                       "keepdims",
                                       "kernel_shape",
                                       "max",
                                       "min",
                                       "mode",
                                       "nearest_mode",
                                       "noop_with_empty_axes",
                                       "num_outputs",
                                       "output_dtype",
                                       "output_padding",
                                       "output_shape",
                                       "pads",
                                       "perm",
                                       "scales",
                                       "select_last_index",
                                       "size",
                                       "split",
                                       "start",
                                       "starts",
                                       "stash_type",
                                       "strides",
                                       "to",
                                       "transA",
                                       "transB",
                                       "value",
                                       "value_float",
                                       "value_floats",
                                       "value_int",
                                       "value_ints"};
constexpr std::int64_t kNumbers[] = {-1, 0,  1,  2,   3,       4,         5,         7,        8,
                                     13, 16, 64, 255, 1 << 16, INT32_MAX, INT64_MAX, INT64_MIN};

std::size_t below(Random& random, std::size_t end) { return end == 0 ? 0 : random() % end; }

template <typename T, std::size_t count>
T one_of(Random& random, const T (&list)[count]) {
  return list[below(random, count)];
}

template <typename Field>
auto* element_of(Random& random, Field& field) {
  return field.empty()
             ? nullptr
             : field.Mutable(static_cast<int>(below(random, static_cast<std::size_t>(field.size()))));
}

// Names that something in the graph has.
std::string name_in(Random& random, onnx::GraphProto& graph) {
  switch (below(random, 4)) {
    case 0:
      if (auto* input = element_of(random, *graph.mutable_input())) return input->name();
      [[fallthrough]];
    case 1:
      if (auto* tensor = element_of(random, *graph.mutable_initializer())) return tensor->name();
      [[fallthrough]];
    case 2:
      if (auto* node = element_of(random, *graph.mutable_node()); node != nullptr && node->output_size() > 0)
        return node->output(0);
      [[fallthrough]];
    default:
      return "";
  }
}

void mutate_tensor(Random& random, onnx::TensorProto& tensor) {
  switch (below(random, 4)) {
    case 0:
      tensor.set_data_type(static_cast<int>(below(random, 24)));
      break;
    case 1:
      tensor.add_dims(one_of(random, kNumbers));
      break;
    case 2:
      if (tensor.dims_size() > 0)
        tensor.set_dims(static_cast<int>(below(random, static_cast<std::size_t>(tensor.dims_size()))),
                        one_of(random, kNumbers));
      break;
    default: {
      std::string& raw = *tensor.mutable_raw_data();
      if (below(random, 2) == 0) raw.resize(below(random, 65));
      if (!raw.empty()) raw[below(random, raw.size())] = static_cast<char>(random());
    }
  }
}

void mutate_attribute(Random& random, onnx::AttributeProto& attribute) {
  switch (below(random, 6)) {
    case 0:
      attribute.set_name(one_of(random, kAttributes));
      break;
    case 1:
      attribute.set_type(static_cast<onnx::AttributeProto::AttributeType>(below(random, 12)));
      break;
    case 2:
      attribute.set_i(one_of(random, kNumbers));
      break;
    case 3:
      attribute.add_ints(one_of(random, kNumbers));
      break;
    case 4:
      if (attribute.ints_size() > 0)
        attribute.set_ints(static_cast<int>(below(random, static_cast<std::size_t>(attribute.ints_size()))),
                           one_of(random, kNumbers));
      break;
    default:
      if (attribute.has_t()) mutate_tensor(random, *attribute.mutable_t());
  }
}

void mutate_node(Random& random, onnx::NodeProto& node, onnx::GraphProto& graph) {
  switch (below(random, 6)) {
    case 0:
      node.set_op_type(one_of(random, kOps));
      break;
    case 1:
      node.add_input(name_in(random, graph));
      break;
    case 2:
      if (auto* input = element_of(random, *node.mutable_input())) *input = name_in(random, graph);
      break;
    case 3:
      if (node.input_size() > 0) node.mutable_input()->RemoveLast();
      break;
    case 4:
      mutate_attribute(random, *node.add_attribute());
      break;
    default:
      if (auto* attribute = element_of(random, *node.mutable_attribute()))
        mutate_attribute(random, *attribute);
  }
}

void mutate_input(Random& random, onnx::ValueInfoProto& input) {
  auto& type = *input.mutable_type()->mutable_tensor_type();
  if (auto* dim = element_of(random, *type.mutable_shape()->mutable_dim());
      dim != nullptr && below(random, 3) != 0)
    dim->set_dim_value(one_of(random, kNumbers));
  else if (below(random, 2) == 0)
    type.set_elem_type(static_cast<int>(below(random, 24)));
  else
    type.mutable_shape()->add_dim()->set_dim_value(one_of(random, kNumbers));
}

// A node more behind the last, or one less.
void mutate_chain(Random& random, onnx::GraphProto& graph) {
  if (below(random, 3) == 0 && graph.node_size() > 0) {
    graph.mutable_node()->DeleteSubrange(
        static_cast<int>(below(random, static_cast<std::size_t>(graph.node_size()))), 1);
    return;
  }
  const std::string before = name_in(random, graph);
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type(one_of(random, kOps));
  node.add_input(before);
  if (below(random, 2) == 0) node.add_input(name_in(random, graph));
  node.add_output("n" + std::to_string(graph.node_size()));
  if (graph.output_size() > 0) graph.mutable_output(0)->set_name(node.output(0));
}

void mutate(Random& random, onnx::ModelProto& model) {
  onnx::GraphProto& graph = *model.mutable_graph();
  switch (below(random, 6)) {
    case 0:
      if (auto* tensor = element_of(random, *graph.mutable_initializer())) mutate_tensor(random, *tensor);
      break;
    case 1:
      if (auto* input = element_of(random, *graph.mutable_input())) mutate_input(random, *input);
      break;
    case 2:
      if (auto* opset = element_of(random, *model.mutable_opset_import()))
        opset->set_version(static_cast<std::int64_t>(below(random, 28)));
      break;
    case 3:
      mutate_chain(random, graph);
      break;
    default:
      if (auto* node = element_of(random, *graph.mutable_node())) mutate_node(random, *node, graph);
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

// Bytes alone seldom make another model: most changes are to fields of a message.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  Random random(seed);
  onnx::ModelProto model;
  if (below(random, 5) == 0 || !model.ParseFromArray(data, static_cast<int>(size)) || !model.has_graph())
    return LLVMFuzzerMutate(data, size, max_size);
  for (std::size_t i = 0; i <= below(random, 4); ++i) mutate(random, model);
  const std::string bytes = model.SerializeAsString();
  if (bytes.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  halftone::fuzz::import_once(std::as_bytes(std::span(data, size)));
  return 0;
}
