// Weights in the layouts that primitives want, each made once.
#pragma once

#include <map>
#include <vector>

#include "halftone/float_engine/layout.h"
#include "halftone/ir/graph.h"

namespace halftone::float_engine {

// Not thread-safe: programs are compiled one at a time.
class Constants {
 public:
  // `tensor`, the constant of `value`, whose elements `stored` describes, in layout `wanted`. It shares the
  // tensor's storage, which must stay, when it lies there as wanted already.
  dnnl::memory get(ir::ValueId value, const Tensor& tensor, const Desc& stored, const Desc& wanted);

 private:
  struct Made {
    Desc stored;
    dnnl::memory memory;
  };
  std::map<ir::ValueId, std::vector<Made>> made_;
};

}  // namespace halftone::float_engine
