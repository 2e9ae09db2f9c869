#include "halftone/ir/ops/pow.h"

#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"
#include "halftone/ir/ops/unary.h"

namespace halftone::ir {

std::vector<TensorType> infer(const Pow&, InputTypes inputs) {
  if (inputs[0]->dtype == DType::boolean || inputs[1]->dtype == DType::boolean)
    throw InputError("Pow", "operands of type bool");
  return {{inputs[0]->dtype, broadcast_shape(inputs[0]->shape, inputs[1]->shape)}};
}

std::vector<Tensor> evaluate(const Pow&, InputTensors inputs) {
  const Tensor base = inputs[0]->cast(DType::float64);
  const Tensor exponent = inputs[1]->cast(DType::float64);
  Tensor y(inputs[0]->dtype(), broadcast_shape(base.shape(), exponent.shape()));
  const auto index = broadcast_index(base.shape(), y.shape());
  const auto index_e = broadcast_index(exponent.shape(), y.shape());
  dispatch_dtype(y.dtype(), [&](auto tag) {
    using T = decltype(tag);
    auto out = y.mutable_data<T>();
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = rounded_to<T>(std::pow(base.data<double>()[static_cast<std::size_t>(index[i])],
                                      exponent.data<double>()[static_cast<std::size_t>(index_e[i])]));
  });
  return {y};
}

}  // namespace halftone::ir
