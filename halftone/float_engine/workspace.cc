#include "halftone/float_engine/workspace.h"

#include <algorithm>
#include <new>

#include "halftone/base/address_space.h"
#include "halftone/float_engine/arena.h"

namespace halftone::float_engine {

static_assert(kAlignment == 64);

namespace {

std::byte* new_arena(std::size_t bytes) {
  expect_left(bytes);
  return static_cast<std::byte*>(::operator new[](std::max<std::size_t>(bytes, 1), std::align_val_t{kAlignment}));
}

}  // namespace

Workspace::Workspace(const Program& program)
    : program_(program),
      stream_(cpu()),
      arena_(new_arena(program.arena_bytes_)),
      arguments_(program.steps_.size()),
      tensors_(program.graph_.values.size()) {
  for (const Slot& slot : program.slots_) {
    const Buffer& buffer = program.buffers_[static_cast<std::size_t>(slot.buffer)];
    if (const auto* constant = std::get_if<ConstantBuffer>(&buffer)) {
      memories_.push_back(constant->memory);
      continue;
    }
    const auto* arena = std::get_if<ArenaBuffer>(&buffer);
    memories_.emplace_back(slot.desc, cpu(), arena != nullptr ? arena_.get() + arena->offset : nullptr);
  }
  for (std::size_t s = 0; s < program.steps_.size(); ++s)
    if (const auto* execute = std::get_if<Execute>(&program.steps_[s]))
      for (const auto& [argument, slot] : execute->arguments)
        arguments_[s].emplace(argument, memories_[static_cast<std::size_t>(slot)]);
}

void Workspace::execute(std::size_t step) {
  expect_left(0);
  std::get<Execute>(program_.steps_[step]).primitive.execute(stream_, arguments_[step]);
}

void Workspace::bind(ir::ValueId value, void* bytes) {
  for (const SlotId slot : program_.tensor_slots_[static_cast<std::size_t>(value)])
    memories_[static_cast<std::size_t>(slot)].set_data_handle(bytes);
}

void Workspace::set_tensor(ir::ValueId value, Tensor tensor) {
  // Primitives only read here: what they write comes from allocate.
  bind(value, const_cast<std::byte*>(tensor.bytes().data()));
  tensors_[static_cast<std::size_t>(value)] = std::move(tensor);
}

void Workspace::allocate(ir::ValueId value) {
  Tensor tensor(DType::float32, program_.graph_.value(value).shape);
  bind(value, tensor.mutable_bytes().data());
  tensors_[static_cast<std::size_t>(value)] = std::move(tensor);
}

void Workspace::release_all() { std::ranges::fill(tensors_, Tensor()); }

}  // namespace halftone::float_engine
