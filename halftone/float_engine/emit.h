// One op as oneDNN primitives. There is a function `emit` for every op that oneDNN has; all others are
// evaluated in plain loops.
#pragma once

#include <string>
#include <vector>

#include "halftone/float_engine/builder.h"

namespace halftone::float_engine {

// f(x) of oneDNN's eltwise primitive.
struct Eltwise {
  dnnl::algorithm algorithm = dnnl::algorithm::eltwise_relu;
  float alpha = 0.0F;
  float beta = 0.0F;
};

// Functions that the primitive also applies to each result before it writes it.
struct After {
  std::vector<Eltwise> activation;   // applied one after another, at the end
  ir::ValueId added = ir::kNoValue;  // of the output's shape
};

// A node, and the value that it computes together with what comes after it.
struct Work {
  const ir::Node& node;
  ir::ValueId output = ir::kNoValue;
  After after;
};

// Each adds the node to the program, or returns false, having added nothing, when oneDNN can't compute it (or
// can't do so together with what comes after).
bool emit(Builder& builder, const ir::Conv& op, const Work& work);
bool emit(Builder& builder, const ir::Gemm& op, const Work& work);
bool emit(Builder& builder, const ir::MatMul& op, const Work& work);
bool emit(Builder& builder, const ir::MaxPool& op, const Work& work);
bool emit(Builder& builder, const ir::AveragePool& op, const Work& work);
bool emit(Builder& builder, const ir::GlobalAveragePool& op, const Work& work);
bool emit(Builder& builder, const ir::GlobalMaxPool& op, const Work& work);
bool emit(Builder& builder, const ir::BatchNormalization& op, const Work& work);
bool emit(Builder& builder, const ir::Softmax& op, const Work& work);
bool emit(Builder& builder, const ir::Concat& op, const Work& work);
bool emit(Builder& builder, const ir::Transpose& op, const Work& work);
bool emit_binary(Builder& builder, dnnl::algorithm algorithm, const Work& work);
bool emit_eltwise(Builder& builder, const std::vector<Eltwise>& functions, const Work& work);

// The functions that applied one after another are this op within float32 rounding; empty when there are
// none.
std::vector<Eltwise> eltwise_of(const ir::Op& op);
// nullopt when it is no binary op that oneDNN has.
std::optional<dnnl::algorithm> binary_of(const ir::Op& op);
// Whether the op may add a value to its result, and apply functions to it, in one primitive.
bool may_add(const ir::Op& op);
bool may_activate(const ir::Op& op);

// The primitive's attributes: memory of ours, and what comes after.
dnnl::primitive_attr attributes(const After& after);
// Whether oneDNN would run its own plain loops.
bool is_reference(const dnnl::primitive_desc_base& description);

}  // namespace halftone::float_engine
