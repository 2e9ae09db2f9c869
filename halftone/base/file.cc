#include "halftone/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/base/file_reader.h"
#include "halftone/base/new_file.h"

namespace halftone {

std::vector<std::byte> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  FileReader file(path, max_bytes);
  std::vector<std::byte> bytes;
  bytes.reserve(file.size().value_or(0));
  for (auto block = file.next(); !block.empty(); block = file.next())
    bytes.insert(bytes.end(), block.begin(), block.end());
  return bytes;
}

bool is_special_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored);
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  if (is_special_file(path)) {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (file.get() < 0)
      throw SystemError(path.string(), fmt::format("cannot write: {}", std::strerror(errno)));
    write_all(file.get(), bytes, path);
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
