#include "halftone/data/zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/base/shown.h"
#include "halftone/data/bytes.h"
#include "halftone/data/zip_directory.h"
#include "halftone/data/zip_format.h"

namespace halftone::data {
namespace {

using namespace zip_format;

// Deflate's best: 258 bytes from two bits.
constexpr std::uint64_t kMaxDeflateRatio = 1032;
constexpr std::uint16_t kVersionNeeded = 20;
constexpr std::uint16_t kDate1980January1 = (1 << 5) | 1;

std::uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void expect_readable(const ZipEntry& entry, std::string_view where) {
  if ((entry.flags & kEncryptedFlag) != 0)
    throw UnsupportedError(
        where, fmt::format("member '{}', got an encrypted one, expected plain", shown(entry.name)));
  if (entry.method != kStored && entry.method != kDeflated)
    throw UnsupportedError(where,
                           fmt::format("compression of member '{}', got method {}, expected {} or {}",
                                       shown(entry.name), entry.method, kStored, kDeflated));
  if (entry.method == kStored ? entry.unpacked_bytes != entry.packed_bytes
                              : entry.unpacked_bytes / kMaxDeflateRatio > entry.packed_bytes)
    throw InputError(
        where, fmt::format("size of member '{}', got {} bytes from {}, expected what its method can give",
                           shown(entry.name), entry.unpacked_bytes, entry.packed_bytes));
}

// The member's bytes in the file; its local header has to be there and give the same name and method.
std::span<const std::byte> locate(std::span<const std::byte> members, const ZipEntry& entry,
                                  std::string_view where) {
  if (entry.offset > members.size())
    throw InputError(where, fmt::format("place of member '{}', got {}, expected at most {}",
                                        shown(entry.name), entry.offset, members.size()));
  ByteReader reader(members.subspan(entry.offset), where);
  const auto signature = reader.little<std::uint32_t>();
  reader.take(4);  // version needed, flags
  const auto method = reader.little<std::uint16_t>();
  reader.take(16);  // time, date, CRC32 and sizes, which a streaming writer leaves zero
  const auto name_bytes = reader.little<std::uint16_t>();
  const auto extra_bytes = reader.little<std::uint16_t>();
  if (signature != kLocalSignature || method != entry.method || reader.take_text(name_bytes) != entry.name)
    throw InputError(where,
                     fmt::format("local header of member '{}', got another, expected what the directory says",
                                 shown(entry.name)));
  reader.take(extra_bytes);
  return reader.take(entry.packed_bytes);
}

// Bytes out of a deflated member, as many as `out` takes; `consumed` says how far it was read. Returns how many.
std::size_t inflate_raw(std::span<const std::byte> packed, std::span<std::byte> out, std::string_view where,
                        std::size_t& consumed) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw SystemError(where, "out of memory");
  struct End {
    z_stream& stream;
    ~End() { inflateEnd(&stream); }
  } end{stream};
  constexpr std::size_t kMaxStep = std::numeric_limits<uInt>::max();
  std::size_t produced = 0;
  int status = Z_OK;
  while (status == Z_OK && produced < out.size()) {
    const auto input = static_cast<uInt>(std::min(packed.size() - consumed, kMaxStep));
    const auto room = static_cast<uInt>(std::min(out.size() - produced, kMaxStep));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data() + consumed));
    stream.avail_in = input;
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + produced);
    stream.avail_out = room;
    status = inflate(&stream, Z_NO_FLUSH);
    consumed += input - stream.avail_in;
    produced += room - stream.avail_out;
  }
  // A member that has not ended was not read to its end.
  if (status != Z_STREAM_END) consumed = packed.size() + 1;
  return produced;
}

std::vector<std::byte> inflate_whole(std::span<const std::byte> packed, const ZipEntry& entry,
                                     std::string_view where) {
  // One byte more than announced, so that too much data shows as such.
  std::vector<std::byte> unpacked(entry.unpacked_bytes + 1);
  std::size_t consumed = 0;
  const std::size_t produced = inflate_raw(packed, unpacked, where, consumed);
  if (consumed != packed.size() || produced != entry.unpacked_bytes)
    throw InputError(where, fmt::format("member '{}' is damaged, got {} bytes unpacked, expected {}",
                                        shown(entry.name), produced, entry.unpacked_bytes));
  unpacked.resize(produced);
  return unpacked;
}

// Members that share bytes are how small files unpack to huge ones.
void expect_apart(std::vector<std::pair<std::uint64_t, std::uint64_t>> extents, std::string_view where) {
  std::ranges::sort(extents);
  for (std::size_t i = 1; i < extents.size(); ++i)
    if (extents[i].first < extents[i - 1].second)
      throw InputError(
          where, fmt::format("members of a ZIP archive, got two that overlap at byte {}, expected apart",
                             extents[i].first));
}

// Everything about sizes is checked before the first byte is unpacked.
std::vector<std::span<const std::byte>> locate_all(std::span<const std::byte> bytes,
                                                   const ZipDirectory& directory, std::string_view where) {
  std::vector<std::span<const std::byte>> packed;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;
  std::uint64_t total = 0;
  for (const ZipEntry& entry : directory.entries) {
    expect_readable(entry, where);
    packed.push_back(locate(bytes.first(directory.offset), entry, where));
    extents.emplace_back(entry.offset, packed.back().data() + packed.back().size() - bytes.data());
    total += entry.unpacked_bytes;
    if (total > kMaxFileBytes)
      throw InputError(
          where, fmt::format("unpacked size, got more than {0} bytes, expected at most {0}", kMaxFileBytes));
  }
  expect_apart(std::move(extents), where);
  return packed;
}

void append_shared_fields(std::vector<std::byte>& out, const ZipMember& member) {
  const bool is_ascii =
      std::ranges::all_of(member.name, [](char c) { return static_cast<unsigned char>(c) < 128; });
  const auto size = static_cast<std::uint32_t>(member.bytes.size());
  append_little(out, kVersionNeeded);
  append_little(out, is_ascii ? std::uint16_t{0} : kUtf8Flag);
  append_little(out, kStored);
  append_little(out, std::uint16_t{0});  // midnight
  append_little(out, kDate1980January1);
  append_little(out, crc_of(member.bytes));
  append_little(out, size);
  append_little(out, size);
  append_little(out, static_cast<std::uint16_t>(member.name.size()));
  append_little(out, std::uint16_t{0});  // no extra fields
}

void append_central_entry(std::vector<std::byte>& out, const ZipMember& member, std::uint32_t offset) {
  append_little(out, kCentralSignature);
  append_little(out, kVersionNeeded);
  append_shared_fields(out, member);
  append_little(out, std::uint16_t{0});  // no comment
  append_little(out, std::uint16_t{0});  // disk
  append_little(out, std::uint16_t{0});  // internal attributes
  append_little(out, std::uint32_t{0});  // external attributes
  append_little(out, offset);
  append(out, member.name);
}

void append_end(std::vector<std::byte>& out, std::size_t entries, std::size_t directory_offset) {
  const std::size_t directory_bytes = out.size() - directory_offset;
  append_little(out, kEndSignature);
  append_little(out, std::uint32_t{0});  // disks
  append_little(out, static_cast<std::uint16_t>(entries));
  append_little(out, static_cast<std::uint16_t>(entries));
  append_little(out, static_cast<std::uint32_t>(directory_bytes));
  append_little(out, static_cast<std::uint32_t>(directory_offset));
  append_little(out, std::uint16_t{0});  // no comment
}

// Refuses what the fields of a plain archive can't say; the local and central headers take 76 bytes a member.
void expect_writable(std::span<const ZipMember> members) {
  std::set<std::string_view> names;
  std::uint64_t total = kEndBytes;
  for (const ZipMember& member : members) {
    if (member.name.empty() || member.name.size() > std::numeric_limits<std::uint16_t>::max())
      throw UsageError("write ZIP", fmt::format("length of a member's name, got {}, expected 1 to 65535",
                                                member.name.size()));
    if (!names.insert(member.name).second)
      throw UsageError("write ZIP",
                       fmt::format("member '{}', got it twice, expected once", shown(member.name)));
    total += member.bytes.size() + 2 * member.name.size() + 76;
  }
  if (members.size() >= kSee16 || total >= kSee32)
    throw UsageError("write ZIP",
                     fmt::format("archive, got {} members of {} bytes, expected less than {} and 4 GiB",
                                 members.size(), total, kSee16));
}

}  // namespace

ZipArchive::ZipArchive(std::span<const std::byte> bytes, std::string_view where)
    : where_(where), directory_(read_zip_directory(bytes, where)), packed_(locate_all(bytes, directory_, where)) {}

std::vector<std::byte> ZipArchive::start_of(std::size_t i, std::size_t most) const {
  const ZipEntry& entry = directory_.entries[i];
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(most, entry.unpacked_bytes));
  if (entry.method == kStored) return {packed_[i].begin(), packed_[i].begin() + static_cast<std::ptrdiff_t>(size)};
  std::vector<std::byte> start(size);
  std::size_t consumed = 0;
  start.resize(inflate_raw(packed_[i], start, where_, consumed));
  return start;
}

std::vector<std::byte> ZipArchive::unpack(std::size_t i) const {
  const ZipEntry& entry = directory_.entries[i];
  auto unpacked = entry.method == kStored ? std::vector<std::byte>(packed_[i].begin(), packed_[i].end())
                                          : inflate_whole(packed_[i], entry, where_);
  const std::uint32_t crc = crc_of(unpacked);
  if (crc != entry.crc)
    throw InputError(where_, fmt::format("CRC32 of member '{}', got {:08x}, expected {:08x}", shown(entry.name),
                                         crc, entry.crc));
  return unpacked;
}

std::vector<ZipMember> parse_zip(std::span<const std::byte> bytes, std::string_view where) {
  const ZipArchive archive(bytes, where);
  std::vector<ZipMember> members;
  for (std::size_t i = 0; i < archive.size(); ++i) members.push_back({archive.name(i), archive.unpack(i)});
  return members;
}

std::vector<std::byte> encode_zip(std::span<const ZipMember> members) {
  expect_writable(members);
  std::vector<std::byte> out;
  std::vector<std::uint32_t> offsets;
  for (const ZipMember& member : members) {
    offsets.push_back(static_cast<std::uint32_t>(out.size()));
    append_little(out, kLocalSignature);
    append_shared_fields(out, member);
    append(out, member.name);
    append(out, member.bytes);
  }
  const std::size_t directory_offset = out.size();
  for (std::size_t i = 0; i < members.size(); ++i) append_central_entry(out, members[i], offsets[i]);
  append_end(out, members.size(), directory_offset);
  return out;
}

}  // namespace halftone::data
