#include <algorithm>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/engine/steps.h"

namespace halftone::engine {
namespace {

// The samples of a unit, one after another along the first dimension.
Tensor all_samples(const Slot& x, const Memory& memory, const std::vector<std::int64_t>& places) {
  if (memory.samples == 1) return tensor_of(x, memory, 0, places);
  std::vector<Tensor> samples;
  for (std::int64_t s = 0; s < memory.samples; ++s) samples.push_back(tensor_of(x, memory, s, places));
  return concatenate_rows(samples);
}

}  // namespace

Work island_step(const qgraph::Island& op, const MakeExecutor& make_executor, std::vector<SlotPointer> x, std::vector<SlotPointer> y) {
  std::vector<std::vector<std::int64_t>> places;
  for (const SlotPointer& each : x) places.push_back(each->layout.places());
  return [executor = std::shared_ptr<ir::Executor>(make_executor(op.graph)), x, y, places](const Memory& memory) {
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < x.size(); ++i) inputs.push_back(all_samples(*x[i], memory, places[i]));
    const auto show = [&](std::string_view name, Tensor& value) {
      const bool given = std::ranges::any_of(x, [&](const SlotPointer& each) { return each->layout.name == name; });
      if (!given) (*memory.visit)(name, value);
    };
    const std::vector<Tensor> results = memory.visit != nullptr ? executor->run(inputs, show) : executor->run(inputs);
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (results[i].byte_size() != y[i]->layout.bytes() * static_cast<std::size_t>(memory.samples))
        throw InputError(y[i]->layout.name, "an island gave shape " + to_string(results[i].shape()) + ", expected " + to_string(y[i]->layout.shape));
      std::memcpy(y[i]->mutable_bytes(memory), results[i].bytes().data(), results[i].byte_size());
    }
  };
}

}  // namespace halftone::engine
