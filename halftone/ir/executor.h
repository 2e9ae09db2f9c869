// The interface of every way of running a network: run it, and see every value on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "halftone/base/tensor.h"

namespace halftone::ir {

// Called with the name of every computed value (and every input) once it is known. It may put another tensor
// of the same type and shape in its place; what follows then sees that one.
using Visitor = std::function<void(std::string_view name, Tensor& value)>;

// Elements of an output, each once. An output [N, C, rest...] comes in the order of [N, C / block, rest..., block], which
// is row-major where `channel_block` is 1; 0 is an order that has no such name.
struct Watched {
  std::size_t output = 0;  // place among the graph's
  std::span<const float> elements;
  std::span<const std::int64_t> shape;
  std::int64_t channel_block = 1;
};
// The elements in row-major order; nothing where their order has no name.
std::optional<Tensor> tensor_of(const Watched& watched);

using Watch = std::function<void(const Watched&)>;

// Thread-safe: one executor may run on many threads at once.
class Executor {
 public:
  virtual ~Executor() = default;
  // Inputs and outputs in the graph's order. Throws InputError when an input's type or shape does not fit.
  virtual std::vector<Tensor> run(std::span<const Tensor> inputs, const Visitor& visit = {}) const = 0;
  // The same run for the elements of its outputs alone, float32 all of them: each element is seen once, in an order that
  // suits the executor and is the same in every run (Watched says which). The outputs may come in any order too.
  virtual void watch(std::span<const Tensor> inputs, const Watch& see) const {
    const std::vector<Tensor> outputs = run(inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) see({i, outputs[i].data<float>(), outputs[i].shape()});
  }
};

}  // namespace halftone::ir
