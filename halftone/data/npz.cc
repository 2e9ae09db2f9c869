#include "halftone/data/npz.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/base/file_reader.h"
#include "halftone/base/shown.h"
#include "halftone/data/npy.h"
#include "halftone/data/zip.h"

namespace halftone::data {
namespace {

constexpr std::string_view kSuffix = ".npy";

// An archive of arrays. Those that were read are kept; once all are, the archive is let go.
class Npz {
 public:
  Npz(std::span<const std::byte> bytes, std::string_view where) : where_(where), archive_(ZipArchive(bytes, where)) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < archive_->size(); ++i) {
      const std::string& member = archive_->name(i);
      if (!member.ends_with(kSuffix))
        throw UnsupportedError(where, fmt::format("member of a .npz file, got '{}', expected a name in .npy", shown(member)));
      names_.push_back(member.substr(0, member.size() - kSuffix.size()));
      if (!names.insert(names_.back()).second)
        throw InputError(where, fmt::format("array '{}', got it twice, expected once", shown(names_.back())));
    }
    read_.resize(names_.size());
  }
  static std::shared_ptr<Npz> open(const std::filesystem::path& path) {
    FileReader file(path);
    if (file.is_packed()) throw InputError(path.string(), "is packed by gzip, expected an archive of arrays");
    auto bytes = std::make_shared<std::vector<std::byte>>(file.rest());
    auto npz = std::make_shared<Npz>(*bytes, path.string());
    npz->bytes_ = std::move(bytes);
    return npz;
  }

  const std::vector<std::string>& names() const { return names_; }
  NpyStart start_of(std::size_t i) const {
    const std::size_t needed = npy_start_bytes(archive_->start_of(i, kNpyPrefix));
    const std::vector<std::byte> bytes = archive_->start_of(i, needed);
    NpyStart start = parse_npy_start(bytes, where_of(i));
    if (start.bytes != archive_->unpacked_bytes(i))
      throw InputError(where_of(i), fmt::format("size of the array, got {} bytes, expected {} for {} {}",
                                                archive_->unpacked_bytes(i), start.bytes, name_of(start.dtype),
                                                to_string(start.shape)));
    return start;
  }
  Tensor read(std::size_t i) {
    if (!read_[i]) read_[i] = parse_npy(archive_->unpack(i), where_of(i));
    if (std::ranges::all_of(read_, [](const auto& tensor) { return tensor.has_value(); })) {
      archive_.reset();
      bytes_.reset();
    }
    return *read_[i];
  }

 private:
  std::string where_of(std::size_t i) const { return fmt::format("{}: {}", where_, shown(names_[i])); }

  std::string where_;
  std::shared_ptr<std::vector<std::byte>> bytes_;  // of the archive, where nobody else keeps them
  std::optional<ZipArchive> archive_;
  std::vector<std::string> names_;
  std::vector<std::optional<Tensor>> read_;
};

NamedTensors all_of(Npz& npz) {
  NamedTensors entries;
  for (std::size_t i = 0; i < npz.names().size(); ++i) entries.emplace_back(npz.names()[i], npz.read(i));
  return entries;
}

}  // namespace

NamedTensors parse_npz(std::span<const std::byte> bytes, std::string_view where) {
  Npz npz(bytes, where);
  return all_of(npz);
}

NamedTensors read_npz(const std::filesystem::path& path) {
  NamedTensors entries;
  for (const StoredArray& array : open_npz(path)) entries.emplace_back(array.name, array.read());
  return entries;
}

std::vector<StoredArray> open_npz(const std::filesystem::path& path) {
  const std::shared_ptr<Npz> npz = Npz::open(path);
  std::vector<StoredArray> arrays;
  for (std::size_t i = 0; i < npz->names().size(); ++i) {
    const NpyStart start = npz->start_of(i);
    arrays.push_back({npz->names()[i], start.dtype, start.shape, [npz, i] { return npz->read(i); }});
  }
  return arrays;
}

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
