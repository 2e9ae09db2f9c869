// The memory of one run.
#pragma once

#include <memory>

#include "halftone/float_engine/program.h"

namespace halftone::float_engine {

class Workspace {
 public:
  explicit Workspace(const Program& program);

  // Throws std::bad_alloc, as the constructor does, when little memory is left.
  void execute(std::size_t step);

  const float* elements(SlotId slot) const {
    return static_cast<const float*>(memories_[static_cast<std::size_t>(slot)].get_data_handle());
  }
  const Tensor& tensor(ir::ValueId value) const { return tensors_[static_cast<std::size_t>(value)]; }
  // For a visitor, which may put another in its place; set_tensor then.
  Tensor take_tensor(ir::ValueId value) { return std::move(tensors_[static_cast<std::size_t>(value)]); }
  void set_tensor(ir::ValueId value, Tensor tensor);
  // A zeroed one that primitives write to.
  void allocate(ir::ValueId value);
  void release(ir::ValueId value) { tensors_[static_cast<std::size_t>(value)] = Tensor(); }
  void release_all();

 private:
  struct Free {
    void operator()(std::byte* bytes) const { ::operator delete[](bytes, std::align_val_t{64}); }
  };

  void bind(ir::ValueId value, void* bytes);

  const Program& program_;
  dnnl::stream stream_;
  std::unique_ptr<std::byte[], Free> arena_;
  std::vector<dnnl::memory> memories_;                            // by slot
  std::vector<std::unordered_map<int, dnnl::memory>> arguments_;  // by step
  std::vector<Tensor> tensors_;                                   // by value
};

}  // namespace halftone::float_engine
