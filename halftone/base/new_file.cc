#include "halftone/base/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>

#include "halftone/base/error.h"
#include "halftone/base/files_in_use.h"

namespace halftone {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path) {
  throw SystemError(path.string(), fmt::format("cannot write: {}", std::strerror(errno)));
}

// The files with a name for the time being.
struct Temporaries {
  std::mutex mutex;
  std::set<std::string> names;
  unsigned count = 0;  // of all there ever were
};

// Never destroyed: a signal may come as late as the destructors of statics.
Temporaries& temporaries() {
  static auto& all = *new Temporaries;
  return all;
}

// Opens a new file in the folder of `target`, with the permissions that any new file gets, and says its name.
int create_beside(const std::filesystem::path& target, std::string& name) {
  Temporaries& all = temporaries();
  const std::lock_guard lock(all.mutex);
  for (int tries = 0; tries < 100; ++tries) {
    name = (target.parent_path() / fmt::format(".halftone.{}.{}", ::getpid(), all.count++)).string();
    const auto noted = all.names.insert(name).first;
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return fd;
    all.names.erase(noted);
    if (errno != EEXIST) break;
  }
  fail(target);
}

void remove(const std::string& name) {
  Temporaries& all = temporaries();
  const std::lock_guard lock(all.mutex);
  ::unlink(name.c_str());
  all.names.erase(name);
}

}  // namespace

NewFile::NewFile(const std::filesystem::path& path) : path_(path), target_(follow_links(path)) {
  if (const FilesInUse* files = FilesInUse::current()) files->expect_not_read(path);
  file_ = Descriptor(create_beside(target_, temporary_));
  struct stat own {};
  struct stat old {};
  const bool replaces = ::stat(target_.c_str(), &old) == 0;
  if (::fstat(file_.get(), &own) != 0 || (replaces && ::fchmod(file_.get(), old.st_mode & 07777) != 0)) {
    const int error = errno;
    remove(temporary_);
    errno = error;
    fail(path_);
  }
  identity_ = identity_of(own);
}

NewFile::~NewFile() {
  if (!temporary_.empty()) remove(temporary_);
}

void NewFile::write(std::span<const std::byte> bytes) { write_all(file_.get(), bytes, path_); }

void NewFile::finish() {
  if (file_.get() >= 0 && (::fsync(file_.get()) != 0 || !file_.close())) fail(path_);
}

void NewFile::publish() { publish(std::array{this}); }

void NewFile::publish(std::span<NewFile* const> files) {
  for (NewFile* file : files) file->finish();
  const std::lock_guard lock(temporaries().mutex);
  for (NewFile* file : files) file->rename();
}

void NewFile::rename() {
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(path_);
  temporaries().names.erase(temporary_);
  temporary_.clear();
  if (FilesInUse* files = FilesInUse::current()) files->note_written(identity_);
}

void abandon_new_files() {
  Temporaries& all = temporaries();
  all.mutex.lock();  // for good
  for (const std::string& name : all.names) ::unlink(name.c_str());
}

void write_all(int descriptor, std::span<const std::byte> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

}  // namespace halftone
