#include "halftone/models/mlp.h"

#include "halftone/models/layers.h"

namespace halftone::models {

ir::Graph build_mlp(std::uint64_t seed, std::int64_t classes) {
  Layers layers({1, 28, 28}, seed);
  layers.add("flatten", ir::Flatten{});
  layers.dense("fc1", {.outputs = 128, .init = Init::xavier});
  layers.add("tanh1", ir::Tanh{});
  layers.dense("fc2", {.outputs = 64, .init = Init::xavier});
  layers.add("tanh2", ir::Tanh{});
  layers.dense("fc3", {.outputs = classes, .init = Init::xavier});
  return layers.finish();
}

}  // namespace halftone::models
