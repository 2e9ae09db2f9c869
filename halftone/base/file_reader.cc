#include "halftone/base/file_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/base/files_in_use.h"

namespace halftone {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view what) {
  throw SystemError(path.string(), fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace

FileReader::FileReader(const std::filesystem::path& path, std::size_t max_bytes, Afterwards afterwards)
    : path_(path), max_bytes_(max_bytes), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (file_.get() < 0) fail(path, "cannot open");
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) fail(path, "cannot stat");
  if (S_ISDIR(status.st_mode)) throw InputError(path.string(), "is a directory, expected a file");
  if (afterwards == Afterwards::kept) note_read(status);
  if (S_ISREG(status.st_mode)) size_ = static_cast<std::size_t>(status.st_size);
  if (size_.value_or(0) > max_bytes)
    throw InputError(path.string(), fmt::format("file too large, expected at most {} bytes", max_bytes));
  block_.resize(kBlockBytes);
  pending_ = read_block();
  if (is_gzip(pending_)) {
    inflater_.emplace(path.string());
    unpacked_.resize(kBlockBytes);
  }
}

std::optional<std::size_t> FileReader::size() const { return inflater_ ? std::nullopt : size_; }

// A full block unless the file ends, so that a pipe's first byte does not hide the magic.
std::span<const std::byte> FileReader::read_block() {
  std::size_t filled = 0;
  while (filled < block_.size()) {
    const ssize_t got = ::read(file_.get(), block_.data() + filled, block_.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, "cannot read");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return std::span(block_).first(filled);
}

std::vector<std::byte> FileReader::rest() {
  std::vector<std::byte> bytes;
  bytes.reserve(size().value_or(2 * size_.value_or(0)));  // gzip makes at least as much of most files
  for (auto block = next(); !block.empty(); block = next()) bytes.insert(bytes.end(), block.begin(), block.end());
  return bytes;
}

std::span<const std::byte> FileReader::next() {
  std::span<const std::byte> block;
  if (!inflater_) {
    block = std::exchange(pending_, {});
    if (block.empty() && produced_ > 0) block = read_block();
  } else {
    for (;;) {
      const std::size_t made = inflater_->unpack(pending_, unpacked_);
      block = std::span(unpacked_).first(made);
      if (made > 0) break;
      pending_ = read_block();
      if (pending_.empty()) break;
    }
    if (block.empty()) inflater_->finish();
  }
  produced_ += block.size();
  if (produced_ > max_bytes_)
    throw InputError(path_.string(),
                     inflater_ ? fmt::format("unpacks to more than {} bytes", max_bytes_)
                               : fmt::format("file too large, expected at most {} bytes", max_bytes_));
  return block;
}

}  // namespace halftone
