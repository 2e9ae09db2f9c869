// Which ops only move elements.
#pragma once

#include "halftone/ir/op.h"

namespace halftone::ir {

// Whether every element of the result is one of input 0's, unchanged and in another place, so that the op is
// the same on integers as on the reals they stand for. Input 1, of those that have one, says where to.
// MaxPool and GlobalMaxPool, which choose, Concat, which joins, and Pad, which adds, are none of these;
// neither is a Resize that interpolates.
bool only_moves(const Op& op);

}  // namespace halftone::ir
