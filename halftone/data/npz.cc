#include "halftone/data/npz.h"

#include <fmt/format.h>

#include <set>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/data/npy.h"
#include "halftone/data/printable.h"
#include "halftone/data/zip.h"

namespace halftone::data {
namespace {

constexpr std::string_view kSuffix = ".npy";

}  // namespace

NamedTensors parse_npz(std::span<const std::byte> bytes, std::string_view where) {
  NamedTensors entries;
  std::set<std::string> names;
  for (const ZipMember& member : parse_zip(bytes, where)) {
    if (!member.name.ends_with(kSuffix))
      throw UnsupportedError(where, fmt::format("member of a .npz file, got '{}', expected a name in .npy",
                                                printable(member.name)));
    const std::string name = member.name.substr(0, member.name.size() - kSuffix.size());
    if (!names.insert(name).second)
      throw InputError(where, fmt::format("array '{}', got it twice, expected once", printable(name)));
    entries.emplace_back(name, parse_npy(member.bytes, fmt::format("{}: {}", where, printable(name))));
  }
  return entries;
}

NamedTensors read_npz(const std::filesystem::path& path) { return parse_npz(read_file(path), path.string()); }

std::vector<std::byte> encode_npz(const NamedTensors& entries) {
  std::vector<ZipMember> members;
  for (const auto& [name, tensor] : entries) {
    if (name.empty())
      throw UsageError("write .npz", "name of an array, got an empty one, expected some text");
    members.push_back({name + std::string(kSuffix), encode_npy(tensor)});
  }
  return encode_zip(members);
}

void write_npz(const std::filesystem::path& path, const NamedTensors& entries) {
  write_file(path, encode_npz(entries));
}

}  // namespace halftone::data
