// Whole files in and out.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "halftone/base/file_limits.h"
#include "halftone/base/gzip.h"

namespace halftone {

// The file's bytes; a gzip file (told by its magic, not its name) is unpacked, all members, checksums
// checked. Throws SystemError when it can't be read, InputError when it is damaged or larger than
// `max_bytes`.
std::vector<std::byte> read_file(const std::filesystem::path& path, std::size_t max_bytes = kMaxFileBytes);

// Writes the file whole or not at all: a temporary file beside it, synced and renamed.
// Throws SystemError and leaves nothing behind.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file(const std::filesystem::path& path, std::string_view text);

// Whether something is there that a rename can't replace: a device or a pipe (/dev/stdout, /dev/full), or a
// folder. write_file writes straight to it.
bool is_special_file(const std::filesystem::path& path);

}  // namespace halftone
