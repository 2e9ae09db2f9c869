// No command writes over what it reads. Every reader and every NewFile tells; a command says first what it will write.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "halftone/base/file_identity.h"

namespace halftone {

// The files that this process reads and writes while one of these lives. At most one does at a time; without one, as
// in programs that use the library, nothing is noted and nothing refused. Thread-safe.
class FilesInUse {
 public:
  FilesInUse();
  ~FilesInUse();
  FilesInUse(const FilesInUse&) = delete;
  FilesInUse& operator=(const FilesInUse&) = delete;

  static FilesInUse* current();

  // Before any work: `path` will be written. Throws UsageError when it was read, as reading it does from now on, or
  // when it is to be written already; `remedy` ends the message.
  void will_write(const std::filesystem::path& path, const std::string& remedy = "");
  // Throws UsageError when the file is to be written.
  void note_read(const FileIdentity& file);
  // Throws UsageError when the file was read, whether anyone said that it will be written or not.
  void expect_not_read(const std::filesystem::path& path) const;
  // A file of this process's own, which may have the number of one that was read and is gone.
  void note_written(const FileIdentity& file);

 private:
  struct Written {
    std::string path;
    std::string remedy;
  };

  mutable std::mutex mutex_;
  std::set<FileIdentity> read_;
  std::map<FileIdentity, Written> written_;
};

// Every reader tells this of the file it has opened: to the FilesInUse that lives, if it is a regular file.
void note_read(const struct stat& opened);

}  // namespace halftone
