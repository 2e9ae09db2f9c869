#include "halftone/ir/moves.h"

namespace halftone::ir {
namespace {

template <typename... Ops>
bool is_one_of(const Op& op) {
  return (std::holds_alternative<Ops>(op) || ...);
}

}  // namespace

bool only_moves(const Op& op) {
  if (const auto* resize = std::get_if<Resize>(&op)) return !resize->linear;
  return is_one_of<DepthToSpace, Expand, Flatten, Gather, Identity, Reshape, Slice, SpaceToDepth, Squeeze,
                   Transpose, Unsqueeze>(op);
}

}  // namespace halftone::ir
