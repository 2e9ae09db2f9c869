#include "halftone/base/files_in_use.h"

#include <atomic>

#include "halftone/base/error.h"

namespace halftone {
namespace {

std::atomic<FilesInUse*> living{nullptr};

[[noreturn]] void refuse(const std::string& path, const std::string& remedy) {
  throw UsageError(path, "is a file that is read, expected one of its own" + remedy);
}

}  // namespace

FilesInUse::FilesInUse() { living = this; }
FilesInUse::~FilesInUse() { living = nullptr; }
FilesInUse* FilesInUse::current() { return living; }

void FilesInUse::will_write(const std::filesystem::path& path, const std::string& remedy) {
  const auto file = identity_of(path);
  if (!file) return;
  const std::lock_guard lock(mutex_);
  if (read_.contains(*file)) refuse(path.string(), remedy);
  if (!written_.emplace(*file, Written{path.string(), remedy}).second)
    throw UsageError(path.string(), "given for two outputs, expected a file for each" + remedy);
}

void FilesInUse::note_read(const FileIdentity& file) {
  const std::lock_guard lock(mutex_);
  if (const auto found = written_.find(file); found != written_.end()) refuse(found->second.path, found->second.remedy);
  read_.insert(file);
}

void FilesInUse::expect_not_read(const std::filesystem::path& path) const {
  const auto file = identity_of(path);
  const std::lock_guard lock(mutex_);
  if (file && read_.contains(*file)) refuse(path.string(), "");
}

void FilesInUse::note_written(const FileIdentity& file) {
  const std::lock_guard lock(mutex_);
  read_.erase(file);
}

void note_read(const struct stat& opened) {
  if (FilesInUse* files = FilesInUse::current(); files != nullptr && S_ISREG(opened.st_mode))
    files->note_read(identity_of(opened));
}

}  // namespace halftone
