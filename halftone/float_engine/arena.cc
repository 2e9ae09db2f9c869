#include "halftone/float_engine/arena.h"

#include <algorithm>

namespace halftone::float_engine {
namespace {

bool at_one_time(const ArenaBuffer& a, const ArenaBuffer& b) {
  return a.first <= b.last && b.first <= a.last;
}

// The lowest offset at which `buffer` fits between those placed already, which are sorted by offset.
std::size_t lowest_offset(const ArenaBuffer& buffer, const std::vector<const ArenaBuffer*>& placed) {
  std::size_t offset = 0;
  for (const ArenaBuffer* other : placed) {
    if (!at_one_time(buffer, *other)) continue;
    if (offset + buffer.bytes <= other->offset) break;
    offset = std::max(offset, other->offset + other->bytes);
  }
  return offset;
}

}  // namespace

std::size_t place_buffers(std::vector<Buffer>& buffers) {
  std::vector<ArenaBuffer*> order;
  for (Buffer& buffer : buffers)
    if (auto* arena = std::get_if<ArenaBuffer>(&buffer)) {
      arena->bytes = (arena->bytes + kAlignment - 1) / kAlignment * kAlignment;
      order.push_back(arena);
    }
  // The largest first: they leave the small ones the gaps.
  std::ranges::stable_sort(order, std::greater{}, &ArenaBuffer::bytes);
  std::vector<const ArenaBuffer*> placed;
  std::size_t size = 0;
  for (ArenaBuffer* buffer : order) {
    buffer->offset = lowest_offset(*buffer, placed);
    size = std::max(size, buffer->offset + buffer->bytes);
    placed.insert(std::ranges::upper_bound(placed, buffer->offset, {}, &ArenaBuffer::offset), buffer);
  }
  return size;
}

}  // namespace halftone::float_engine
