#include "halftone/data/zip_directory.h"

#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/base/shown.h"
#include "halftone/data/bytes.h"
#include "halftone/data/zip_format.h"

namespace halftone::data {
namespace {

using namespace zip_format;

struct Extent {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t offset = 0;
};

[[noreturn]] void fail_disks(std::string_view where) {
  throw UnsupportedError(where, "ZIP archive, got one of several disks, expected a single file");
}

// Where the end record starts: the last place whose comment reaches exactly to the end of the file.
std::size_t find_end(std::span<const std::byte> bytes, std::string_view where) {
  constexpr std::size_t kMaxComment = 0xffff;
  for (std::size_t comment = 0; comment <= kMaxComment && comment + kEndBytes <= bytes.size(); ++comment) {
    const std::size_t at = bytes.size() - kEndBytes - comment;
    ByteReader reader(bytes.subspan(at), where);
    if (reader.little<std::uint32_t>() != kEndSignature) continue;
    reader.take(kEndBytes - sizeof(std::uint32_t) - sizeof(std::uint16_t));
    if (reader.little<std::uint16_t>() == comment) return at;
  }
  throw InputError(where, "end record of a ZIP archive, got none (truncated or not a ZIP file)");
}

Extent read_zip64_end(std::span<const std::byte> bytes, std::size_t end, std::string_view where) {
  const auto missing = [&] {
    return InputError(where, "zip64 end record of a ZIP archive, got none where announced");
  };
  if (end < kZip64LocatorBytes) throw missing();
  ByteReader locator(bytes.subspan(end - kZip64LocatorBytes), where);
  if (locator.little<std::uint32_t>() != kZip64LocatorSignature) throw missing();
  if (locator.little<std::uint32_t>() != 0) fail_disks(where);
  const auto at = locator.little<std::uint64_t>();
  if (locator.little<std::uint32_t>() > 1) fail_disks(where);
  if (at > end - kZip64LocatorBytes || end - kZip64LocatorBytes - at < kZip64EndBytes) throw missing();
  ByteReader reader(bytes.subspan(at), where);
  if (reader.little<std::uint32_t>() != kZip64EndSignature) throw missing();
  reader.take(12);  // record size, version made by, version needed
  if (reader.little<std::uint32_t>() != 0 || reader.little<std::uint32_t>() != 0) fail_disks(where);
  const auto entries_here = reader.little<std::uint64_t>();
  Extent extent;
  extent.entries = reader.little<std::uint64_t>();
  if (entries_here != extent.entries) fail_disks(where);
  extent.bytes = reader.little<std::uint64_t>();
  extent.offset = reader.little<std::uint64_t>();
  return extent;
}

Extent read_end(std::span<const std::byte> bytes, std::size_t end, std::string_view where) {
  ByteReader reader(bytes.subspan(end), where);
  reader.take(sizeof(kEndSignature));
  const auto disk = reader.little<std::uint16_t>();
  const auto directory_disk = reader.little<std::uint16_t>();
  const auto entries_here = reader.little<std::uint16_t>();
  const auto entries = reader.little<std::uint16_t>();
  const auto size = reader.little<std::uint32_t>();
  const auto offset = reader.little<std::uint32_t>();
  if (entries == kSee16 || size == kSee32 || offset == kSee32) return read_zip64_end(bytes, end, where);
  if (disk != 0 || directory_disk != 0 || entries_here != entries) fail_disks(where);
  return {entries, size, offset};
}

// Replaces, in this order, those of the three fields that say so.
void read_zip64_extra(ZipEntry& entry, std::span<const std::byte> extra, std::string_view where) {
  ByteReader reader(extra, where);
  bool found = false;
  while (reader.remaining() >= 4 && !found) {
    const auto id = reader.little<std::uint16_t>();
    ByteReader field(reader.take(reader.little<std::uint16_t>()), where);
    if (id != kZip64Extra) continue;
    found = true;
    for (std::uint64_t* value : {&entry.unpacked_bytes, &entry.packed_bytes, &entry.offset})
      if (*value == kSee32) *value = field.little<std::uint64_t>();
  }
  if (!found && (entry.unpacked_bytes == kSee32 || entry.packed_bytes == kSee32 || entry.offset == kSee32))
    throw InputError(
        where, fmt::format("zip64 sizes of member '{}', got none where announced", shown(entry.name)));
}

ZipEntry read_entry(ByteReader& reader, std::string_view where) {
  const auto signature = reader.little<std::uint32_t>();
  if (signature != kCentralSignature)
    throw InputError(where, fmt::format("signature in a ZIP directory, got {:#x}, expected {:#x}", signature,
                                        kCentralSignature));
  ZipEntry entry;
  reader.take(4);  // version made by, version needed
  entry.flags = reader.little<std::uint16_t>();
  entry.method = reader.little<std::uint16_t>();
  reader.take(4);  // time, date
  entry.crc = reader.little<std::uint32_t>();
  entry.packed_bytes = reader.little<std::uint32_t>();
  entry.unpacked_bytes = reader.little<std::uint32_t>();
  const auto name_bytes = reader.little<std::uint16_t>();
  const auto extra_bytes = reader.little<std::uint16_t>();
  const auto comment_bytes = reader.little<std::uint16_t>();
  const auto disk = reader.little<std::uint16_t>();
  if (disk != 0 && disk != kSee16) fail_disks(where);
  reader.take(6);  // attributes
  entry.offset = reader.little<std::uint32_t>();
  entry.name = reader.take_text(name_bytes);
  read_zip64_extra(entry, reader.take(extra_bytes), where);
  reader.take(comment_bytes);
  return entry;
}

}  // namespace

ZipDirectory read_zip_directory(std::span<const std::byte> bytes, std::string_view where) {
  const std::size_t end = find_end(bytes, where);
  const Extent extent = read_end(bytes, end, where);
  if (extent.offset > end || extent.bytes > end - extent.offset)
    throw InputError(where, fmt::format("ZIP directory, got {} bytes at {}, expected to end before {}",
                                        extent.bytes, extent.offset, end));
  ByteReader reader(bytes.subspan(extent.offset, extent.bytes), where);
  ZipDirectory directory;
  directory.offset = extent.offset;
  while (reader.remaining() > 0) directory.entries.push_back(read_entry(reader, where));
  if (directory.entries.size() != extent.entries)
    throw InputError(where, fmt::format("members in a ZIP directory, got {}, expected {}",
                                        directory.entries.size(), extent.entries));
  return directory;
}

}  // namespace halftone::data
