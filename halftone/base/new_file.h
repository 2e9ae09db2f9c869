// A file that appears whole or not at all: written beside its place, then renamed into it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "halftone/base/descriptor.h"
#include "halftone/base/file_identity.h"

namespace halftone {

class NewFile {
 public:
  // Throws SystemError when no file can be made there, UsageError for one that FilesInUse knows to be read. A symbolic
  // link at `path` keeps pointing where it does: what it points to is written.
  explicit NewFile(const std::filesystem::path& path);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  // Leaves nothing behind unless publish() has succeeded.
  ~NewFile();

  // Throw SystemError, as all below.
  void write(std::span<const std::byte> bytes);
  // Brings every byte to the disk: what is left to go wrong after this is the renaming.
  void finish();
  // Finishes, and takes the place of what was there.
  void publish();
  // Finishes all, then renames one right after the other in this order: no signal that abandon_new_files answers comes
  // between.
  static void publish(std::span<NewFile* const> files);

 private:
  void rename();

  std::filesystem::path path_;
  std::filesystem::path target_;
  std::string temporary_;  // empty once published
  Descriptor file_;
  FileIdentity identity_;
};

// For a process that is about to end: removes what is not published, and lets no file be made or published any more
// (who tries waits for the end).
void abandon_new_files();

// Writes everything or throws SystemError naming `path`.
void write_all(int descriptor, std::span<const std::byte> bytes, const std::filesystem::path& path);

}  // namespace halftone
