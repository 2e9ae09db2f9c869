// Moves of integers as the interpreter makes them, and the shapes of what they give.
#pragma once

#include <span>

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::qgraph {

// Shapes of the results for inputs of known shapes. `declared` is the value's own. Throw InputError for what does not fit.
Shape shape_of(const Move& op, const Shape& x, const Shape& declared);
Shape shape_of(const Concat& op, std::span<const Shape> inputs);
Shape shape_of(const Pad& op, const Shape& x);
Shape shape_of(const Extreme& op, std::span<const Shape> inputs);

// Elements keep their type. Throw InputError for a place that the input does not have.
Tensor moved(const Move& op, const Tensor& x, const Shape& declared);
Tensor joined(const Concat& op, std::span<const Tensor* const> inputs);
Tensor padded(const Pad& op, const Tensor& x);
Tensor chosen(const Extreme& op, std::span<const Tensor* const> inputs);

}  // namespace halftone::qgraph
