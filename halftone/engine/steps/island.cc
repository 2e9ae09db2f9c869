#include <algorithm>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/engine/steps.h"

namespace halftone::engine {

Work island_step(const qgraph::Island& op, const MakeExecutor& make_executor, std::vector<SlotPointer> x, std::vector<SlotPointer> y) {
  std::vector<std::vector<std::int64_t>> places;
  for (const SlotPointer& each : x) places.push_back(each->layout.places());
  return [executor = std::shared_ptr<ir::Executor>(make_executor(op.graph)), x, y, places](const Memory& memory) {
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < x.size(); ++i) inputs.push_back(tensor_of(*x[i], memory, 0, places[i]));
    const auto show = [&](std::string_view name, Tensor& value) {
      const bool given = std::ranges::any_of(x, [&](const SlotPointer& each) { return each->layout.name == name; });
      if (!given) (*memory.visit)(name, value);
    };
    const std::vector<Tensor> results = memory.visit != nullptr ? executor->run(inputs, show) : executor->run(inputs);
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (results[i].byte_size() != y[i]->layout.bytes())
        throw InputError(y[i]->layout.name, "an island gave shape " + to_string(results[i].shape()) + ", expected " + to_string(y[i]->layout.shape));
      std::memcpy(y[i]->mutable_bytes(memory), results[i].bytes().data(), results[i].byte_size());
    }
  };
}

}  // namespace halftone::engine
