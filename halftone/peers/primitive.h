// A primitive that a peer runs for a node.
#pragma once

#include <cstdint>
#include <string>

#include "halftone/base/dtype.h"
#include "halftone/base/shape.h"

namespace halftone::peers {

struct Primitive {
  std::string node;            // that it computes, or whose operand it brings to another layout
  std::string kind;            // "convolution", "inner_product", "reorder", ...
  std::string implementation;  // the library's name for the code that it chose
  Shape shape;                 // of the result; a plane of one dimension has two, the first being 1
  DType dtype = DType::uint8;  // likewise
  std::int64_t multiply_adds = 0;
};

}  // namespace halftone::peers
