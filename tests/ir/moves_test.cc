// Which ops are the same on integers as on reals, because they only move elements.
#include "halftone/ir/moves.h"

#include <gtest/gtest.h>

namespace halftone::ir {
namespace {

TEST(OnlyMoves, HoldsWhereEveryElementOfTheResultIsOneOfTheInput) {
  for (const Op& op :
       {Op(DepthToSpace{}), Op(SpaceToDepth{}), Op(Expand{}), Op(Flatten{}), Op(Gather{}), Op(Identity{}),
        Op(Reshape{}), Op(Resize{}), Op(Slice{}), Op(Squeeze{}), Op(Transpose{}), Op(Unsqueeze{})})
    EXPECT_TRUE(only_moves(op)) << name_of(op);
}

TEST(OnlyMoves, DoesNotHoldForWhatChoosesJoinsAddsOrComputes) {
  for (const Op& op : {Op(MaxPool{}), Op(GlobalMaxPool{}), Op(Concat{}), Op(Pad{}), Op(Split{}), Op(Relu{}),
                       Op(Add{}), Op(QuantizeLinear{}), Op(Resize{.linear = true})})
    EXPECT_FALSE(only_moves(op)) << name_of(op);
}

}  // namespace
}  // namespace halftone::ir
