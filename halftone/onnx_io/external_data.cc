#include "halftone/onnx_io/external_data.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "halftone/base/error.h"
#include "halftone/base/files_in_use.h"

namespace halftone::onnx_io {
namespace {

struct Entry {
  std::string location;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;  // nothing: to the end of the file
};

std::uint64_t parse_number(const std::string& text, std::string_view key, std::string_view where) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value > INT64_MAX)
    throw InputError(where, fmt::format("external data with {} '{}', expected a number from 0 to {}", key,
                                        text, INT64_MAX));
  return value;
}

// Other keys (a checksum, marks of one runtime) say nothing about where the bytes are.
Entry entry_of(const onnx::TensorProto& proto, std::string_view where) {
  std::map<std::string, std::string> given;
  for (const onnx::StringStringEntryProto& entry : proto.external_data())
    if (!given.emplace(entry.key(), entry.value()).second)
      throw InputError(where, fmt::format("external data with two values of '{}'", entry.key()));
  Entry entry;
  entry.location = given["location"];
  if (entry.location.empty()) throw InputError(where, "external data without a location");
  if (const auto found = given.find("offset"); found != given.end())
    entry.offset = parse_number(found->second, "offset", where);
  if (const auto found = given.find("length"); found != given.end())
    entry.length = parse_number(found->second, "length", where);
  return entry;
}

[[noreturn]] void refuse(std::string_view where, const std::string& location, std::string_view what) {
  throw InputError(where, fmt::format("external data in '{}': {}", location, what));
}

// The path that the location says, before any file is looked at.
void check_location(const std::string& location, std::string_view where) {
  const std::filesystem::path path(location);
  if (location.find('\0') != std::string::npos || location.find('\\') != std::string::npos)
    refuse(where, location, "expected a path with '/' between its parts");
  if (path.is_absolute()) refuse(where, location, "an absolute path, expected one relative to the model");
  if (std::ranges::find(path, "..") != path.end())
    refuse(where, location, "a path that leaves the model's folder");
}

bool is_inside(const std::filesystem::path& path, const std::filesystem::path& folder) {
  return std::ranges::mismatch(folder, path).in1 == folder.end();
}

}  // namespace

ExternalData::ExternalData(const std::filesystem::path& folder) : folder_(folder.empty() ? "." : folder) {}

ExternalData::File& ExternalData::open(const std::string& location, std::string_view where) {
  if (const auto found = files_.find(location); found != files_.end()) return found->second;
  check_location(location, where);
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::canonical(folder_, error);
  const std::filesystem::path path =
      error ? folder_ / location : std::filesystem::canonical(folder_ / location, error);
  if (error) refuse(where, location, fmt::format("cannot open: {}", error.message()));
  if (!is_inside(path, folder)) refuse(where, location, "a link that leaves the model's folder");
  // Asked before it is opened: opening a pipe would wait for its writer.
  if (!std::filesystem::is_regular_file(path, error)) refuse(where, location, "expected a regular file");
  File file{.path = path, .descriptor = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW))};
  struct stat status {};
  if (file.descriptor.get() < 0 || ::fstat(file.descriptor.get(), &status) != 0)
    refuse(where, location, fmt::format("cannot open: {}", std::strerror(errno)));
  note_read(status);
  file.size = static_cast<std::uint64_t>(status.st_size);
  return files_.emplace(location, std::move(file)).first->second;
}

Tensor ExternalData::read(const onnx::TensorProto& proto, DType dtype, const Shape& shape,
                          std::string_view where) {
  const Entry entry = entry_of(proto, where);
  if (folder_.empty())
    throw UnsupportedError(
        where, fmt::format("data in another file ('{}'), and the model is not a file", entry.location));
  File& file = open(entry.location, where);
  const std::uint64_t expected = static_cast<std::uint64_t>(element_count(shape, where)) * size_of(dtype);
  const std::uint64_t rest = file.size - std::min(file.size, entry.offset);
  const std::uint64_t length = entry.length.value_or(rest);
  if (length != expected)
    refuse(
        where, entry.location,
        fmt::format("{} bytes, expected {} for {} {}", length, expected, name_of(dtype), to_string(shape)));
  if (entry.offset > file.size || length > rest)
    refuse(where, entry.location,
           fmt::format("{} bytes from {} on, expected at most the {} of the file", length, entry.offset,
                       file.size));
  const Range range{file.path, entry.offset, length, dtype};
  if (const auto found = read_.find(range); found != read_.end()) return found->second.reshaped(shape);
  if (length > file.size - file.taken)
    refuse(where, entry.location, "tensors that overlap there, expected each to have its own bytes");
  file.taken += length;

  Tensor tensor(dtype, shape);
  const auto out = tensor.mutable_bytes();
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t got = ::pread(file.descriptor.get(), out.data() + done, out.size() - done,
                                static_cast<off_t>(entry.offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(where, entry.location, fmt::format("cannot read: {}", std::strerror(errno)));
    if (got == 0) refuse(where, entry.location, "ends early");
    done += static_cast<std::size_t>(got);
  }
  if (length > 0) read_.emplace(range, tensor);
  return tensor;
}

void set_external(onnx::TensorProto& proto, const std::string& location, std::uint64_t offset,
                  std::uint64_t length) {
  proto.set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : {std::pair<const char*, std::string>{"location", location},
                                   {"offset", std::to_string(offset)},
                                   {"length", std::to_string(length)}}) {
    onnx::StringStringEntryProto* entry = proto.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
}

}  // namespace halftone::onnx_io
