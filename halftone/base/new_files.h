// Files that are one result, as a model and its recipe: none appears before all are complete on the disk.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "halftone/base/new_file.h"

namespace halftone {

class NewFiles {
 public:
  // Writes it aside, whole; bytes for a device or a pipe wait in memory. Throw SystemError, and UsageError as
  // NewFile does.
  void add(const std::filesystem::path& path, std::span<const std::byte> bytes);
  void add(const std::filesystem::path& path, std::string_view text);
  // One that was written in pieces.
  void add(const std::filesystem::path& path, std::unique_ptr<NewFile> file);
  // As add, for a file that takes its name before those added so far.
  void add_first(const std::filesystem::path& path, std::string_view text);

  // Writes to devices and pipes, then gives the files their names, one right after the other. Throws SystemError; what
  // goes wrong before the first name leaves everything as it was.
  void publish();

 private:
  // Throws UsageError for a file that is among them already.
  void note(const std::filesystem::path& path);

  struct Special {
    std::filesystem::path path;
    std::vector<std::byte> bytes;
  };

  std::vector<std::unique_ptr<NewFile>> files_;
  std::vector<Special> specials_;
  std::set<FileIdentity> targets_;
};

}  // namespace halftone
