// Places in one block of memory for values that live at different times.
#pragma once

#include <cstddef>
#include <vector>

namespace halftone::engine {

inline constexpr std::size_t kAlignment = 64;
inline constexpr std::size_t kSlack = 64;  // behind every value: vectors read on

struct Lifetime {
  std::size_t bytes = 0;
  std::size_t first = 0;  // step that writes it
  std::size_t last = 0;   // step that reads it last
};

struct MemoryPlan {
  std::vector<std::size_t> offsets;  // aligned
  std::size_t bytes = 0;
};

// The largest value first, each as low as those that live with it allow.
MemoryPlan plan_memory(const std::vector<Lifetime>& lifetimes);

}  // namespace halftone::engine
