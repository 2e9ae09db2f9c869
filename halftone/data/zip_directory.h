// The central directory at the end of a ZIP archive: what is in it and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::data {

struct ZipEntry {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t packed_bytes = 0;
  std::uint64_t unpacked_bytes = 0;
  std::uint64_t offset = 0;  // of the local header
};

struct ZipDirectory {
  std::vector<ZipEntry> entries;
  std::uint64_t offset = 0;  // members end before it
};

// Throws InputError when a record is missing or contradicts another, UnsupportedError for several disks.
ZipDirectory read_zip_directory(std::span<const std::byte> bytes, std::string_view where);

}  // namespace halftone::data
