// The shape of a graph input: what the file says, and what the caller adds to it.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "halftone/onnx_io/load.h"

namespace halftone::onnx_io {

// Throws InputError when the shape is impossible, UnsupportedError when a dimension other than the first
// stays free or there is no shape at all (the message says how to give one), UsageError when the one given
// disagrees with the file.
Shape shape_of_input(const onnx::ValueInfoProto& input, const InputShapes& given);

// Throws UsageError naming the inputs there are, when one is given that is not among them.
void check_names(const InputShapes& given, const std::vector<std::string>& inputs);

}  // namespace halftone::onnx_io
