#include "halftone/float_engine/constants.h"

#include "halftone/base/address_space.h"

namespace halftone::float_engine {

dnnl::memory Constants::get(ir::ValueId value, const Tensor& tensor, const Desc& stored, const Desc& wanted) {
  // No primitive writes to weights.
  dnnl::memory source(stored, cpu(), const_cast<std::byte*>(tensor.bytes().data()));
  if (stored == wanted) return source;
  std::vector<Made>& made = made_[value];
  for (const Made& earlier : made)
    if (earlier.stored == stored && earlier.memory.get_desc() == wanted) return earlier.memory;
  expect_left(wanted.get_size());
  dnnl::memory result(wanted, cpu());
  dnnl::stream stream(cpu());
  dnnl::reorder(source, result).execute(stream, source, result);
  made.push_back({stored, result});
  return result;
}

}  // namespace halftone::float_engine
