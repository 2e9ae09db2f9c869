// A file from its beginning to its end in blocks, so that a large one is never in memory twice.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "halftone/base/descriptor.h"
#include "halftone/base/file_limits.h"
#include "halftone/base/gzip.h"

namespace halftone {

// A gzip file (told by its magic, not its name) is unpacked, all members, checksums checked.
class FileReader {
 public:
  // Throws SystemError when it can't be read, InputError for a directory or more than `max_bytes`.
  explicit FileReader(const std::filesystem::path& path, std::size_t max_bytes = kMaxFileBytes);

  // The next block, valid until the next call; empty at the end. Throws SystemError when it can't be read,
  // InputError when it is damaged or larger than allowed.
  std::span<const std::byte> next();
  // How many bytes there are in all, where that is known before: a regular file that is not packed.
  std::optional<std::size_t> size() const;

 private:
  std::span<const std::byte> read_block();

  std::filesystem::path path_;
  std::size_t max_bytes_;
  Descriptor file_;
  std::optional<std::size_t> size_;
  std::vector<std::byte> block_;
  std::vector<std::byte> unpacked_;
  std::optional<Inflater> inflater_;
  std::span<const std::byte> pending_;  // of block_, not handed out or unpacked yet
  std::size_t produced_ = 0;
};

}  // namespace halftone
