// Graphs with Quantize/Dequantize pairs, built by hand.
#pragma once

#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/lower/lower.h"
#include "tests/ir/tensors.h"

namespace halftone::qgraph {

// A scale and zero point with the type of the integers.
struct Grid {
  float scale = 1.0F;
  std::int32_t zero = 0;
  DType dtype = DType::int8;
};

inline numeric::IntegerFormat format_of(DType dtype) {
  const bool wide = dtype == DType::int16 || dtype == DType::uint16;
  return {wide ? 16 : 8, dtype == DType::int8 || dtype == DType::int16, false};
}

struct Qdq {
  ir::Graph graph;

  explicit Qdq(const numeric::ArithmeticSpec& spec = {}) { numeric::write_arithmetic(spec, graph.metadata); }

  ir::ValueId input(Shape shape, DType dtype = DType::float32) {
    return graph.add_input("x" + std::to_string(graph.inputs.size()), dtype, std::move(shape));
  }
  ir::ValueId quantize(ir::ValueId x, const Grid& grid, const std::string& name) {
    return graph.add_node(ir::QuantizeLinear{}, {x, scale(grid, name), zero(grid, name)}, name);
  }
  ir::ValueId dequantize(ir::ValueId q, const Grid& grid, const std::string& name) {
    return graph.add_node(ir::DequantizeLinear{}, {q, scale(grid, name), zero(grid, name)}, name + "_dq");
  }
  ir::ValueId pair(ir::ValueId x, const Grid& grid, const std::string& name) {
    return dequantize(quantize(x, grid, name), grid, name);
  }

  // Constant integers with a Dequantize; one scale, or one for each index of `axis`.
  ir::ValueId weights(const Tensor& q, const std::vector<float>& scales,
                      const std::vector<std::int32_t>& zeros, int axis, const std::string& name) {
    const Shape shape = scales.size() == 1 ? Shape{} : Shape{static_cast<std::int64_t>(scales.size())};
    std::vector<ir::ValueId> inputs{graph.add_constant(name, q),
                                    graph.add_constant(name + "_s", ir::floats(shape, scales))};
    if (!zeros.empty())
      inputs.push_back(graph.add_constant(name + "_z", numeric::from_int32(shape, zeros, q.dtype())));
    return graph.add_node(ir::DequantizeLinear{axis}, inputs, name + "_dq");
  }
  ir::ValueId bias(const std::vector<std::int32_t>& q, const std::vector<float>& scales,
                   const std::string& name) {
    return weights(Tensor::from<std::int32_t>({static_cast<std::int64_t>(q.size())}, q), scales, {}, 0, name);
  }
  ir::ValueId node(ir::Op op, const std::vector<ir::ValueId>& inputs, const std::string& name) {
    return graph.add_node(std::move(op), inputs, name);
  }
  QuantizedGraph lowered(ir::ValueId output) {
    graph.outputs = {output};
    ir::check(graph);
    return lower::lower(graph);
  }

 private:
  ir::ValueId scale(const Grid& grid, const std::string& name) {
    return graph.add_constant(name + "_s", ir::scalar_of(grid.scale));
  }
  ir::ValueId zero(const Grid& grid, const std::string& name) {
    return graph.add_constant(name + "_z", numeric::from_int32({}, {&grid.zero, 1}, grid.dtype));
  }
};

inline Tensor int8s(Shape shape, const std::vector<int>& values) {
  const std::vector<std::int32_t> wide(values.begin(), values.end());
  return numeric::from_int32(shape, wide, DType::int8);
}

// All integers of a run, by name.
using Integers = std::map<std::string, Tensor>;
inline Integers run_integers(const QuantizedGraph& graph, const std::vector<Tensor>& inputs) {
  Integers result;
  Interpreter(graph).run(inputs, [&](std::string_view name, Tensor& value) {
    if (value.dtype() != DType::float32) result.emplace(std::string(name), value);
  });
  return result;
}

template <typename T>
const Node* find_node(const QuantizedGraph& graph) {
  const Node* found = nullptr;
  for (const Node& node : graph.nodes)
    if (std::holds_alternative<T>(node.op)) {
      EXPECT_EQ(found, nullptr) << "more than one";
      found = &node;
    }
  return found;
}

inline std::string ops_of(const QuantizedGraph& graph) {
  std::string text;
  for (const Node& node : graph.nodes) text += (text.empty() ? "" : " ") + std::string(name_of(node.op));
  return text;
}

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

}  // namespace halftone::qgraph
