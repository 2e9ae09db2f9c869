// ZIP archives, as far as .npz files need them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/data/zip_directory.h"

namespace halftone::data {

struct ZipMember {
  std::string name;
  std::vector<std::byte> bytes;
};

// An archive in memory, which outlives it. Everything about sizes is checked before the first byte is unpacked: that local
// headers agree with the directory, that no two members share bytes, that sizes are ones deflate can reach, and that
// together they are no more than a file may have. Throws UnsupportedError for encryption, several disks or another method,
// else InputError.
class ZipArchive {
 public:
  ZipArchive(std::span<const std::byte> bytes, std::string_view where);

  std::size_t size() const { return directory_.entries.size(); }
  const std::string& name(std::size_t i) const { return directory_.entries[i].name; }
  std::uint64_t unpacked_bytes(std::size_t i) const { return directory_.entries[i].unpacked_bytes; }
  // The first `most` bytes of a member, or all; its checksum is not looked at.
  std::vector<std::byte> start_of(std::size_t i, std::size_t most) const;
  // A member, its CRC32 checked.
  std::vector<std::byte> unpack(std::size_t i) const;

 private:
  std::string where_;
  ZipDirectory directory_;
  std::vector<std::span<const std::byte>> packed_;
};

// All members in the order of the central directory: stored or deflated, zip64 where sizes need it. Throws as ZipArchive
// does.
std::vector<ZipMember> parse_zip(std::span<const std::byte> bytes, std::string_view where);

// Members stored in the given order under a fixed date, so equal members give equal bytes. Throws UsageError
// for names that are empty, repeated or too long, or when the archive would need zip64 (4 GiB or 65,535
// members).
std::vector<std::byte> encode_zip(std::span<const ZipMember> members);

}  // namespace halftone::data
