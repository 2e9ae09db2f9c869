#include "halftone/passes/pass.h"

namespace halftone::passes {

ir::Graph simplify(const ir::Graph& graph) {
  ir::Graph result = remove_identity(fold_constants(widen_floats(graph)));
  result = flatten_matmuls(pool_means(fuse_layer_norm(unroll_splits(std::move(result)))));
  result = fold_batch_norm(fuse_bias(fold_gemm_factors(std::move(result))));
  // A node that no layer took becomes a layer, which may take what follows.
  return fold_batch_norm(fuse_bias(convolve_channel_factors(std::move(result))));
}

}  // namespace halftone::passes
