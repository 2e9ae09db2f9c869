// Whole files in and out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "halftone/base/file_limits.h"
#include "halftone/base/file_reader.h"
#include "halftone/base/gzip.h"

namespace halftone {

// The file's bytes; a gzip file (told by its magic, not its name) is unpacked, all members, checksums
// checked. Throws SystemError when it can't be read, InputError when it is damaged or larger than
// `max_bytes`.
std::vector<std::byte> read_file(const std::filesystem::path& path, std::size_t max_bytes = kMaxFileBytes,
                                 Afterwards afterwards = Afterwards::kept);

// The same of a file whose start, its first block, says how many bytes the whole of it has: far more are not unpacked, and
// refused with InputError.
std::vector<std::byte> read_file(const std::filesystem::path& path,
                                 const std::function<std::uint64_t(std::span<const std::byte> start)>& size_of);

// The same of a file that was opened, and whose first block was taken and says how many bytes there are.
std::vector<std::byte> read_rest(FileReader& file, std::vector<std::byte> start, std::uint64_t size);

// Writes the file whole or not at all: a temporary file beside it, synced and renamed.
// Throws SystemError and leaves nothing behind.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file(const std::filesystem::path& path, std::string_view text);

// Whether something is there that a rename can't replace: a device or a pipe (/dev/stdout, /dev/full), or a
// folder. write_file writes straight to it, by write_special.
bool is_special_file(const std::filesystem::path& path);
void write_special(const std::filesystem::path& path, std::span<const std::byte> bytes);

}  // namespace halftone
