#include "halftone/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "halftone/base/error.h"

namespace halftone {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view what) {
  throw SystemError(path.string(), fmt::format("{}: {}", what, std::strerror(errno)));
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  // close(2) reports late write errors (quota, network file systems).
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

void write_all(int fd, std::span<const std::byte> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "cannot write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

// A link keeps pointing where it does: what it points to is written, there already or not.
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
  fail(target, "cannot write");
}

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail(path, "cannot open");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(path, "cannot stat");
  if (S_ISDIR(status.st_mode)) throw InputError(path.string(), "is a directory, expected a file");
  if (S_ISREG(status.st_mode) && static_cast<std::size_t>(status.st_size) > max_bytes)
    throw InputError(path.string(), fmt::format("file too large, expected at most {} bytes", max_bytes));
  std::vector<std::byte> bytes;
  bytes.reserve(
      std::min<std::size_t>(static_cast<std::size_t>(std::max<off_t>(status.st_size, 0)), max_bytes));
  std::vector<std::byte> block(std::size_t{1} << 20);
  for (;;) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path, "cannot read");
    if (got == 0) break;
    if (bytes.size() + static_cast<std::size_t>(got) > max_bytes)
      throw InputError(path.string(), fmt::format("file too large, expected at most {} bytes", max_bytes));
    bytes.insert(bytes.end(), block.begin(), block.begin() + got);
  }
  const bool is_gzip = bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
  return is_gzip ? gunzip(bytes, path.string(), max_bytes) : bytes;
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::error_code ignored;
  // Devices and pipes (/dev/stdout, /dev/full) can't be replaced by a rename; they are written straight.
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (file.get() < 0) fail(path, "cannot write");
    write_all(file.get(), bytes, path);
    return;
  }
  const std::filesystem::path target = follow_links(path);
  std::string temporary;
  Descriptor file(create_beside(target, temporary));
  try {
    struct stat old {};
    if (::stat(target.c_str(), &old) == 0 && ::fchmod(file.get(), old.st_mode & 07777) != 0)
      fail(path, "cannot write");
    write_all(file.get(), bytes, path);
    if (::fsync(file.get()) != 0 || !file.close()) fail(path, "cannot write");
    if (::rename(temporary.c_str(), target.c_str()) != 0) fail(path, "cannot write");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

std::vector<std::byte> gunzip(std::span<const std::byte> bytes, std::string_view where,
                              std::size_t max_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw SystemError(where, "out of memory");
  struct End {
    z_stream& stream;
    ~End() { inflateEnd(&stream); }
  } end{stream};
  std::vector<std::byte> unpacked;
  std::vector<std::byte> block(std::size_t{1} << 20);
  std::size_t consumed = 0;
  int status = Z_OK;
  while (consumed < bytes.size() || status != Z_STREAM_END) {
    const std::size_t input = std::min<std::size_t>(bytes.size() - consumed, std::size_t{1} << 30);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data() + consumed));
    stream.avail_in = static_cast<uInt>(input);
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    status = inflate(&stream, Z_NO_FLUSH);
    consumed += input - stream.avail_in;
    const std::size_t produced = block.size() - stream.avail_out;
    if (unpacked.size() + produced > max_bytes)
      throw InputError(where, fmt::format("unpacks to more than {} bytes", max_bytes));
    unpacked.insert(unpacked.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(produced));
    if (status == Z_STREAM_END && consumed < bytes.size()) {
      if (inflateReset(&stream) != Z_OK) throw InputError(where, "damaged gzip data");
      status = Z_OK;
    } else if (status == Z_BUF_ERROR || (status == Z_OK && input == 0 && produced == 0)) {
      throw InputError(where, "gzip data ends early (truncated)");
    } else if (status != Z_OK && status != Z_STREAM_END) {
      throw InputError(where,
                       fmt::format("damaged gzip data ({})", stream.msg != nullptr ? stream.msg : "unknown"));
    }
  }
  return unpacked;
}

}  // namespace halftone
