// ZIP archives, as far as .npz files need them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::data {

struct ZipMember {
  std::string name;
  std::vector<std::byte> bytes;
};

// Members in the order of the central directory: stored or deflated, zip64 where sizes need it. Checks every
// CRC32, that local headers agree with the directory, that no two members share bytes, and that sizes are
// ones deflate can reach. Throws UnsupportedError for encryption, several disks or another method, else
// InputError.
std::vector<ZipMember> parse_zip(std::span<const std::byte> bytes, std::string_view where);

// Members stored in the given order under a fixed date, so equal members give equal bytes. Throws UsageError
// for names that are empty, repeated or too long, or when the archive would need zip64 (4 GiB or 65,535
// members).
std::vector<std::byte> encode_zip(std::span<const ZipMember> members);

}  // namespace halftone::data
