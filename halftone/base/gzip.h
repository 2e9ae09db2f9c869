// gzip data (RFC 1952) unpacked: all members, checksums checked.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/base/file_limits.h"

namespace halftone {

// Told by its magic, not by a name.
bool is_gzip(std::span<const std::byte> bytes);

// Unpacks piece by piece; `where` names the data in errors.
class Inflater {
 public:
  explicit Inflater(std::string_view where);
  Inflater(Inflater&&) noexcept;
  ~Inflater();

  // Unpacks what it can of `packed` into `out`, drops from `packed` what it has read, and returns the number
  // of bytes made; 0 when it needs more of either. Throws InputError for damaged data.
  std::size_t unpack(std::span<const std::byte>& packed, std::span<std::byte> out);
  // To be called when there is no more: throws InputError unless the last member is complete.
  void finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Throws InputError when the data is damaged, ends early, or unpacks to more than `max_bytes`.
std::vector<std::byte> gunzip(std::span<const std::byte> bytes, std::string_view where,
                              std::size_t max_bytes = kMaxFileBytes);

}  // namespace halftone
