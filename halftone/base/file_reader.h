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

// A file that was read is kept from being written (FilesInUse), unless the reader itself goes on
// writing it.
enum class Afterwards { kept, rewritten };

// A gzip file (told by its magic, not its name) is unpacked, all members, checksums checked.
class FileReader {
 public:
  // Throws SystemError when it can't be read, InputError for a directory or more than `max_bytes`, UsageError for a file
  // that is to be written.
  explicit FileReader(const std::filesystem::path& path, std::size_t max_bytes = kMaxFileBytes,
                      Afterwards afterwards = Afterwards::kept);

  const std::filesystem::path& path() const { return path_; }
  // The next block, valid until the next call; empty at the end. Throws SystemError when it can't be read,
  // InputError when it is damaged or larger than allowed.
  std::span<const std::byte> next();
  // All that is left, in one piece. Throws as next() does.
  std::vector<std::byte> rest();
  bool is_packed() const { return inflater_.has_value(); }
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
