#include "halftone/base/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "halftone/base/error.h"

namespace halftone {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path) {
  throw SystemError(path.string(), fmt::format("cannot write: {}", std::strerror(errno)));
}

std::filesystem::path follow_links(std::filesystem::path path) {
  std::error_code error;
  for (int depth = 0; std::filesystem::is_symlink(path, error); ++depth) {
    if (depth == 40) throw SystemError(path.string(), "too many links");
    path = path.parent_path() / std::filesystem::read_symlink(path);
  }
  return path;
}

// Opens a new file in the folder of `target`, with the permissions that any new file gets, and says its name.
int create_beside(const std::filesystem::path& target, std::string& name) {
  static std::atomic<unsigned> counter{0};
  for (int tries = 0; tries < 100; ++tries) {
    name = (target.parent_path() / fmt::format(".halftone.{}.{}", ::getpid(), counter.fetch_add(1))).string();
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return fd;
    if (errno != EEXIST) break;
  }
  fail(target);
}

}  // namespace

NewFile::NewFile(const std::filesystem::path& path) : path_(path), target_(follow_links(path)) {
  file_ = Descriptor(create_beside(target_, temporary_));
  struct stat old {};
  if (::stat(target_.c_str(), &old) == 0 && ::fchmod(file_.get(), old.st_mode & 07777) != 0) {
    ::unlink(temporary_.c_str());
    fail(path_);
  }
}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void NewFile::write(std::span<const std::byte> bytes) { write_all(file_.get(), bytes, path_); }

void NewFile::finish() {
  if (file_.get() >= 0 && (::fsync(file_.get()) != 0 || !file_.close())) fail(path_);
}

void NewFile::publish() {
  finish();
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(path_);
  temporary_.clear();
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
