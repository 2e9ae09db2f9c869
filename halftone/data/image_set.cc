#include "halftone/data/image_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/base/parallel_for.h"
#include "halftone/base/shown.h"
#include "halftone/data/image.h"

namespace halftone::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPictures = std::size_t{1} << 22;  // of a list

struct Entry {
  fs::path path;
  std::int32_t label = 0;
};

Entry parse_line(std::string_view line, const ImageSetOptions& options, std::int64_t number) {
  const std::size_t space = line.find_last_of(" \t,");
  std::int32_t label = 0;
  if (space != std::string_view::npos && line.find_first_not_of(" \t,") < space) {
    const std::string_view digits = line.substr(space + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), label);
    if (error == std::errc() && end == digits.data() + digits.size() && label >= 0)
      return {options.images / line.substr(0, line.find_last_not_of(" \t,", space) + 1), label};
  }
  throw InputError(options.labels.string(), fmt::format("line {}, got '{}', expected a file name and a label",
                                                        number, shown(line)));
}

std::vector<Entry> from_list(const ImageSetOptions& options) {
  const std::vector<std::byte> bytes = read_file(options.labels, std::size_t{1} << 28);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<Entry> entries;
  for (std::int64_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    if (line.empty()) continue;
    if (entries.size() == kMostPictures)
      throw InputError(options.labels.string(), fmt::format("lines, expected at most {}", kMostPictures));
    entries.push_back(parse_line(line, options, number));
  }
  return entries;
}

std::vector<fs::path> sorted_contents(const fs::path& folder, bool folders) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->is_directory() == folders && at->path().filename().string().front() != '.')
      found.push_back(at->path());
  if (error) throw SystemError(folder.string(), fmt::format("cannot read: {}", error.message()));
  std::ranges::sort(found);
  return found;
}

std::vector<Entry> from_folders(const ImageSetOptions& options) {
  std::vector<Entry> entries;
  std::int32_t label = 0;
  for (const fs::path& folder : sorted_contents(options.images, true)) {
    for (const fs::path& file : sorted_contents(folder, false)) entries.push_back({file, label});
    ++label;
  }
  return entries;
}

std::vector<Entry> choose(std::vector<Entry> entries, std::int64_t count) {
  const auto size = static_cast<std::int64_t>(entries.size());
  if (count <= 0 || count >= size) return entries;
  std::vector<Entry> chosen;
  for (std::int64_t i = 0; i < count; ++i)
    chosen.push_back(entries[static_cast<std::size_t>(i * size / count)]);
  return chosen;
}

// The size that is asked for, of a picture of h x w.
Target target_of(std::int64_t h, std::int64_t w, const ImageSetOptions& options) {
  const bool same = h == options.height && w == options.width;
  if (!options.crop || (same && options.resize == 0)) return whole(options.height, options.width);
  const std::int64_t side =
      options.resize > 0 ? options.resize : (std::min(options.height, options.width) * 8 + 3) / 7;
  return cropped(h, w, side, options.height, options.width);
}

void check_size(const ImageSetOptions& options) {
  if (options.resize == 0) return;
  const std::int64_t least = std::min(options.height, options.width);
  if (!options.crop)
    throw UsageError("resize", "a short side is for pictures that are cropped, expected no size or crop on");
  if (options.resize < least)
    throw UsageError("resize",
                     fmt::format("short side, got {}, expected at least the {} of the network's pictures",
                                 options.resize, least));
}

}  // namespace

Dataset read_image_set(const ImageSetOptions& options) {
  check_size(options);
  const std::vector<Entry> entries =
      choose(options.labels.empty() ? from_folders(options) : from_list(options), options.sample);
  if (entries.empty())
    throw InputError(options.images.string(),
                     "no pictures, expected a list of them or a folder for each class");
  Dataset dataset{.name = options.images.filename().string()};
  dataset.images =
      Tensor(DType::uint8, {static_cast<std::int64_t>(entries.size()), 3, options.height, options.width});
  std::uint8_t* out = dataset.images.mutable_data<std::uint8_t>().data();
  PictureReader reader;
  const auto choose = [&](std::int64_t h, std::int64_t w) { return target_of(h, w, options); };
  parallel_for(static_cast<std::int64_t>(entries.size()), options.threads, [&](std::int64_t i) {
    const Tensor image = reader.read(entries[static_cast<std::size_t>(i)].path, choose);
    std::memcpy(out + static_cast<std::size_t>(i) * image.byte_size(), image.bytes().data(),
                image.byte_size());
  });
  std::int64_t largest = 0;
  for (const Entry& entry : entries) {
    dataset.labels.push_back(entry.label);
    largest = std::max<std::int64_t>(largest, dataset.labels.back());
  }
  dataset.classes = static_cast<int>(largest + 1);
  check(dataset, options.images.string());
  return dataset;
}

}  // namespace halftone::data
