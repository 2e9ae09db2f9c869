// Which operators have an integer form, with which operands, and why not: the one table that a plan of scales and `lower` ask.
#pragma once

#include <span>

#include "halftone/ir/op.h"
#include "halftone/qgraph/float_reason.h"

namespace halftone::lower {

// The role of a node in integers.
enum class Role {
  linear,    // Conv, ConvTranspose, Gemm, MatMul with constant weights
  compute,   // Add, Sub, Mul, average pools
  table,     // functions of one variable, of two with one constant
  move,      // elements unchanged: inputs and output share one scale
  fused,     // a ReLU or Clip that ends a linear or compute node: what it ends says so, not integer_form
  floating,  // stays float
};

// An input of a node.
struct Operand {
  bool is_absent = false;  // an optional one
  Shape shape;
  bool is_constant = false;
  const Tensor* real = nullptr;  // the numbers of a float32 constant, where they are known
};

struct IntegerForm {
  Role role = Role::floating;
  qgraph::FloatReason reason;  // of a node that stays float
};

// The form that an operator has where its operands are quantized: what hangs on op, shapes and
// constants alone. docs/arithmetic.md section 7 lists the forms.
IntegerForm integer_form(const ir::Op& op, std::span<const Operand> inputs);

// Whether the integer form of the op, if there is one, ends with a rounding of its own, where a ReLU or Clip
// behind it becomes bounds: linear ops, sums, products and means.
bool takes_bounds(const ir::Op& op);

// Whether the op's result has elements of all its inputs: Concat, Min, Max.
bool is_join(const ir::Op& op);

}  // namespace halftone::lower
