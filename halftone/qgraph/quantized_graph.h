// A network in integers: what `lower` makes, and what the interpreter, the engine and the RTL generator run.
// It may hold float nodes between explicit conversions; integer_only() says whether it does.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/numeric/arithmetic_spec.h"
#include "halftone/qgraph/float_reason.h"
#include "halftone/qgraph/linear.h"

namespace halftone::qgraph {

using ValueId = std::int32_t;

// A tensor of integers (with a grid) or of floats (without), or integers that stand for no reals (without).
struct Value {
  std::string name;
  Shape shape;  // kDynamic: the symbolic batch
  DType dtype = DType::float32;
  std::optional<numeric::Grid> grid;
};

// float → integers: docs/arithmetic.md section 3, one float32 division an element.
struct Quantize {
  static constexpr std::string_view kName = "Quantize";
  numeric::Grid grid;
  numeric::Rounding rounding = numeric::Rounding::half_even;
};

// integers → float.
struct Dequantize {
  static constexpr std::string_view kName = "Dequantize";
  numeric::QuantParams params;
};

// y[…][m] = requantize(Σ_k (q_x[…][k] − z_x)·w[m][k] + bias[m]).
struct Gemm {
  static constexpr std::string_view kName = "Gemm";
  Linear linear;
  std::int32_t x_zero_point = 0;
};

// The same over windows; padding is q = z_x. x [N, C, H, W] or [N, C, W], w [M, C/groups·kh·kw]. A
// ConvTranspose is one over an input whose elements lie `spread` apart, z_x between them, with the kernel
// turned around; `axes` are those of the spread input.
struct Conv {
  static constexpr std::string_view kName = "Conv";
  Linear linear;
  std::int32_t x_zero_point = 0;
  ir::PlaneAxes axes;
  std::int64_t groups = 1;
  std::array<std::int64_t, 2> spread{1, 1};
  bool transposed = false;
};

// y = entries[q_x − qmin]; with several channels, x's dimension 1, those of channel c are the c-th part.
struct Table {
  static constexpr std::string_view kName = "Table";
  std::string function;
  std::int32_t x_qmin = 0;
  std::vector<std::int32_t> entries;
  std::int64_t channels = 1;
};

struct MaxPool {
  static constexpr std::string_view kName = "MaxPool";
  ir::PlaneAxes axes;
};

// requantize(Σ window (q_x − z_x)): entry i of the requantizer is for windows of counts[i] elements. Mode onnx
// in float32 from x and y, unless the window covers the input.
struct AveragePool {
  static constexpr std::string_view kName = "AveragePool";
  ir::PlaneAxes axes;
  bool count_include_pad = false;
  numeric::Affine x;
  numeric::Affine y;
  std::vector<std::int64_t> counts;  // ascending
  Requantizer requantizer;
};

// y = round_shift(m_a·(q_a − z_a) + m_b·(q_b − z_b), shift) + z_y; mode onnx in float32 from the scales. m_b < 0, and in mode
// onnx `subtract`, for a difference.
struct Add {
  static constexpr std::string_view kName = "Add";
  numeric::Affine a;
  numeric::Affine b;
  numeric::Affine y;
  bool subtract = false;
  std::int64_t m_a = 0;
  std::int64_t m_b = 0;
  Requantizer requantizer;  // a Shift; mode onnx: Float32 without a multiplier
};

// requantize((q_a − z_a)·(q_b − z_b)), M = s_a·s_b/s_y; mode onnx in float32.
struct Mul {
  static constexpr std::string_view kName = "Mul";
  numeric::Affine a;
  numeric::Affine b;
  numeric::Affine y;
  bool wide = false;  // the product may be beyond int32: a B of 32 is 16
  Requantizer requantizer;
};

// The same real values at another scale; mode onnx has a Table for it.
struct Requantize {
  static constexpr std::string_view kName = "Requantize";
  std::int32_t x_zero_point = 0;
  Requantizer requantizer;
};

// Along one dimension of a result: element i is read at place `at`[i] of dimension `source`; all of them in order where there
// is no list.
struct MovedAxis {
  std::size_t source = 0;
  std::optional<std::vector<std::int64_t>> at;
};

// Elements of x unchanged, in other places: reshapes, transpositions, slices, gathers, repetitions. x is seen in shape `view`
// (empty: its own; kDynamic, at most once: what is left), whose dimensions `axes` name once each and read; no axes: all in
// order. The elements that come out, row-major, have the value's shape.
struct Move {
  static constexpr std::string_view kName = "Move";
  Shape view;
  std::vector<MovedAxis> axes;
};

// The inputs one after another along a dimension.
struct Concat {
  static constexpr std::string_view kName = "Concat";
  std::size_t axis = 0;
};

// y[i_0, i_1, …] = x[i_0 − before[0], i_1 − before[1], …], and `value` where x has no such element. Negative numbers take away.
struct Pad {
  static constexpr std::string_view kName = "Pad";
  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
  std::int32_t value = 0;
};

// The least or the largest of the inputs, which broadcast.
struct Extreme {
  static constexpr std::string_view kName = "Extreme";
  bool largest = false;
};

// Integers or floats that hang on no input.
struct Constant {
  static constexpr std::string_view kName = "Constant";
  Tensor tensor;
};

// A connected part of the network in float: a graph whose inputs and outputs are the node's, in that order and with their names.
struct Island {
  static constexpr std::string_view kName = "Island";
  ir::Graph graph;
  std::vector<FloatReason> reasons;  // by node of the graph: why it is not in integers
};

using Op = std::variant<Add, AveragePool, Concat, Constant, Conv, Dequantize, Extreme, Gemm, Island, MaxPool, Move, Mul, Pad,
                        Quantize, Requantize, Table>;

struct Node {
  std::string name;
  Op op;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;  // one, or those of an Island

  ValueId output() const { return outputs.at(0); }
};

// A bias that the file holds in float and the integers in steps of s_x·s_w. docs/arithmetic.md sections 5 and 8.
struct RoundedBias {
  std::string layer;
  std::string computed;      // the value that the layer's float node gives
  std::vector<float> real;   // one a channel: the integers times s_x·s_w
  double most_steps = 0.0;   // the largest change, in steps
  double most = 0.0;         // and in real numbers
};

struct QuantizedGraph {
  std::string name;
  numeric::ArithmeticSpec arithmetic;
  std::deque<Value> values;  // as in ir::Graph: references outlive what is added
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::vector<RoundedBias> rounded_biases;  // those that the rounding changed

  const Value& value(ValueId id) const { return values.at(static_cast<std::size_t>(id)); }
  // Whether nothing is computed in float: no float op, and conversions at inputs and outputs alone.
  bool integer_only() const;
};

std::string_view name_of(const Op& op);

// The weights of a Gemm or Conv; nullptr of others.
const Linear* linear_of(const Op& op);

// Shapes of all values in a run of n samples; as declared where it cannot have that size.
std::vector<Shape> shapes_of_batch(const QuantizedGraph& graph, std::int64_t n);

// Work of one sample. Conversions at the ends are neither. ONNX's operators on integers, which layers with dynamic ranges have,
// count as integers.
struct Work {
  std::int64_t integer_nodes = 0;
  std::int64_t float_nodes = 0;
  std::int64_t integer_macs = 0;
  std::int64_t float_macs = 0;
};
Work count_work(const QuantizedGraph& graph);
// Multiply-adds of each node in integers, in a run of n samples. 0 of an Island.
std::vector<std::int64_t> multiply_adds(const QuantizedGraph& graph, std::int64_t n);

}  // namespace halftone::qgraph
