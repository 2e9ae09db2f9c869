#include "halftone/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/base/new_file.h"

namespace halftone {
namespace {

constexpr std::uint64_t kSlack = std::uint64_t{1} << 20;  // of a little more the reader says how much

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& path, std::size_t max_bytes, Afterwards afterwards) {
  return FileReader(path, max_bytes, afterwards).rest();
}

std::vector<std::byte> read_file(const std::filesystem::path& path,
                                 const std::function<std::uint64_t(std::span<const std::byte> start)>& size_of) {
  FileReader file(path);
  const auto block = file.next();
  const std::uint64_t size = size_of(block);
  return read_rest(file, {block.begin(), block.end()}, size);
}

std::vector<std::byte> read_rest(FileReader& file, std::vector<std::byte> bytes, std::uint64_t size) {
  bytes.reserve(std::max<std::uint64_t>(bytes.size(), std::min<std::uint64_t>(size, file.size().value_or(0))));
  for (auto block = file.next(); !block.empty(); block = file.next()) {
    bytes.insert(bytes.end(), block.begin(), block.end());
    if (bytes.size() > size + kSlack)
      throw InputError(file.path().string(), fmt::format("holds more than the {} bytes that its header says", size));
  }
  return bytes;
}

bool is_special_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored);
}

void write_special(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) throw SystemError(path.string(), fmt::format("cannot write: {}", std::strerror(errno)));
  write_all(file.get(), bytes, path);
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  if (is_special_file(path)) {
    write_special(path, bytes);
    return;
  }
  NewFile file(path);
  file.write(bytes);
  file.publish();
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace halftone
