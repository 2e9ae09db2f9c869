// Operators that only put elements in other places, resolved to the few moves of integers.
#pragma once

#include <optional>

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::lower {

// All dimensions of a network whose places have to be listed are at most so long together; a move beyond stays float.
inline constexpr std::int64_t kMostPlaces = std::int64_t{1} << 22;

// The move of an op that ir::only_moves, for an input of shape x; `argument` is its constant input 1, where it has one.
// Nothing where that has no such form: places counted from the end of the batch.
std::optional<qgraph::Op> integer_move(const ir::Op& op, const Shape& x, const Tensor* argument);

// A Pad of integers, `value` among them.
std::optional<qgraph::Op> integer_pad(const ir::Pad& pad, const Shape& x, std::int32_t value);

}  // namespace halftone::lower
