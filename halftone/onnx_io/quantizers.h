// Facts about integers that ONNX's QuantizeLinear cannot say stand around it in a file: fewer bits than the type has are a
// Clip at the format's real bounds before it, [s·(qmin − z), s·(qmax − z)], and another rounding than half_even is
// the metadata's (of those to nearest: with floor such bounds need not quantize to the format's own). docs/arithmetic.md
// sections 2 and 8.
#pragma once

#include "halftone/ir/graph.h"

namespace halftone::onnx_io {

// Every QuantizeLinear of fewer bits as a Clip and one of its whole type.
ir::Graph with_clips(ir::Graph graph);

// The reverse. Only bounds that quantize to a format's own become one, and what the Clip gives is read by the
// QuantizeLinear alone; the function stays the same. Throws InputError for a rounding that is not known.
ir::Graph without_clips(ir::Graph graph);

}  // namespace halftone::onnx_io
