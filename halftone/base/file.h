// Whole files in and out.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace halftone {

// Files and unpacked gzip contents larger than this are refused.
inline constexpr std::size_t kMaxFileBytes = std::size_t{8} << 30;

// The file's bytes; a gzip file (told by its magic, not its name) is unpacked, all members, checksums
// checked. Throws SystemError when it can't be read, InputError when it is damaged or larger than
// `max_bytes`.
std::vector<std::byte> read_file(const std::filesystem::path& path, std::size_t max_bytes = kMaxFileBytes);

// Writes the file whole or not at all: a temporary file beside it, synced and renamed.
// Throws SystemError and leaves nothing behind.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file(const std::filesystem::path& path, std::string_view text);

// Unpacks gzip data (all members, checksums checked); `where` names it in errors.
std::vector<std::byte> gunzip(std::span<const std::byte> bytes, std::string_view where,
                              std::size_t max_bytes = kMaxFileBytes);

}  // namespace halftone
