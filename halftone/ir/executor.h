// What every way of running a network offers: run it, and see every value on the way.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "halftone/base/tensor.h"

namespace halftone::ir {

// Called with the name of every computed value (and every input) once it is known. It may put another tensor
// of the same type and shape in its place; what follows then sees that one.
using Visitor = std::function<void(std::string_view name, Tensor& value)>;

// Thread-safe: one executor may run on many threads at once.
class Executor {
 public:
  virtual ~Executor() = default;
  // Inputs and outputs in the graph's order. Throws InputError when an input's type or shape does not fit.
  virtual std::vector<Tensor> run(std::span<const Tensor> inputs, const Visitor& visit = {}) const = 0;
};

}  // namespace halftone::ir
