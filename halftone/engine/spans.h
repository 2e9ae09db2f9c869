// Elements that are copied, in as few pieces as they stand in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "halftone/engine/step.h"

namespace halftone::engine {

struct Spans {
  struct Span {
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::int64_t count = 0;
  };
  std::vector<Span> spans;

  // y[to[i]] = x[from[i]], no two of `to` being the same; in the order in which y stands.
  Spans(const std::vector<std::int64_t>& from, const std::vector<std::int64_t>& to) {
    const std::int64_t size = to.empty() ? 0 : *std::ranges::max_element(to) + 1;
    std::vector<std::int64_t> source(static_cast<std::size_t>(size), -1);
    for (std::size_t i = 0; i < to.size(); ++i) source[static_cast<std::size_t>(to[i])] = from[i];
    for (std::int64_t at = 0; at < size; ++at) {
      const std::int64_t read = source[static_cast<std::size_t>(at)];
      if (read < 0) continue;
      if (!spans.empty() && spans.back().from + spans.back().count == read && spans.back().to + spans.back().count == at)
        ++spans.back().count;
      else
        spans.push_back({read, at, 1});
    }
    single_ = std::ranges::all_of(spans, [](const Span& span) { return span.count == 1; });
  }

  // For all samples.
  void copy(const Slot& x, const Slot& y, const Memory& memory) const {
    for (std::int64_t s = 0; s < memory.samples; ++s) {
      const std::byte* source = x.bytes(memory) + static_cast<std::size_t>(s) * x.layout.bytes();
      std::byte* target = y.mutable_bytes(memory) + static_cast<std::size_t>(s) * y.layout.bytes();
      // Elements that stand alone are not worth a call each.
      if (x.layout.element == 1 && single_)
        copy_bytes(source, target);
      else
        copy_spans(source, target, x.layout.element);
    }
  }

 private:
  bool single_ = false;

  void copy_bytes(const std::byte* source, std::byte* target) const {
    for (const Span& span : spans) target[span.to] = source[span.from];
  }
  void copy_spans(const std::byte* source, std::byte* target, std::size_t size) const {
    for (const Span& span : spans)
      std::memcpy(target + static_cast<std::size_t>(span.to) * size, source + static_cast<std::size_t>(span.from) * size,
                  static_cast<std::size_t>(span.count) * size);
  }
};

}  // namespace halftone::engine
