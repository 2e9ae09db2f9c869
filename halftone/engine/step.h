// One step of a program: reads values, writes one.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "halftone/engine/layout.h"
#include "halftone/ir/executor.h"

namespace halftone::engine {

class Pool;

// Where the numbers of a run stand, and who shares its work.
struct Memory {
  std::byte* arena = nullptr;
  std::span<const std::byte* const> inputs;  // of the run's first sample
  std::int64_t samples = 1;
  const ir::Visitor* visit = nullptr;
  Pool* pool = nullptr;      // none: one thread
  double least_part = 0.0;   // nanoseconds of work for which another thread is called
};

// A value in memory.
struct Slot {
  Layout layout;
  std::size_t offset = 0;                // in the arena
  std::optional<std::size_t> input = {}; // or: the number of an input, as the caller gave it
  std::shared_ptr<const Slot> joined = {};  // or: the value in which this one stands, from its channel `first_channel` on
  std::int64_t first_channel = 0;

  const std::byte* bytes(const Memory& memory) const { return input ? memory.inputs[*input] : memory.arena + offset; }
  std::byte* mutable_bytes(const Memory& memory) const { return memory.arena + offset; }
  template <typename T>
  const T* read(const Memory& memory) const {
    return reinterpret_cast<const T*>(bytes(memory));
  }
  template <typename T>
  T* write(const Memory& memory) const {
    return reinterpret_cast<T*>(mutable_bytes(memory));
  }
};

using SlotPointer = std::shared_ptr<const Slot>;
using Work = std::function<void(const Memory&)>;

struct Step {
  std::string name;
  std::vector<SlotPointer> reads;
  std::vector<SlotPointer> writes;
  Work run;
  bool shows = true;  // what it writes is a value of the network, and whole
};

// Calls f(T{}) with the type that holds the integers of a layout with a grid.
template <typename F>
decltype(auto) with_type(const Layout& layout, F&& f) {
  if (layout.element == 1) return f(std::uint8_t{});
  return f(std::int16_t{});
}

}  // namespace halftone::engine
