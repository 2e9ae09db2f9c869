#include "halftone/float_engine/emit.h"

namespace halftone::float_engine {

dnnl::primitive_attr attributes(const After& after) {
  constexpr float kScale = 1.0F;
  dnnl::post_ops operations;
  if (after.added != ir::kNoValue) operations.append_sum(kScale);
  for (const Eltwise& function : after.activation)
    operations.append_eltwise(kScale, function.algorithm, function.alpha, function.beta);
  dnnl::primitive_attr result;
  result.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  result.set_post_ops(operations);
  return result;
}

bool is_reference(const dnnl::primitive_desc_base& description) {
  return std::string(description.impl_info_str()).starts_with("ref");
}

}  // namespace halftone::float_engine
