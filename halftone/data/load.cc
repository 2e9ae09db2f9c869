#include "halftone/data/load.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "halftone/base/error.h"
#include "halftone/base/shown.h"
#include "halftone/data/cifar10.h"
#include "halftone/data/digits.h"
#include "halftone/data/idx_set.h"
#include "halftone/data/npz_set.h"

namespace halftone::data {
namespace {

namespace fs = std::filesystem;

// A way files can lie in a directory.
struct Layout {
  bool (*has)(const fs::path&, Part);
  Dataset (*read)(const fs::path&, Part);
};
constexpr Layout kIdxSet{has_idx_set, read_idx_set};
constexpr Layout kCifar10Set{has_cifar10_set, read_cifar10_set};

struct KnownSet {
  std::string_view name;
  Layout layout;
};
constexpr KnownSet kKnownSets[] = {{"mnist", kIdxSet}, {"fashion-mnist", kIdxSet}, {"cifar10", kCifar10Set}};
constexpr std::string_view kDigits = "digits";

const KnownSet* find_known(std::string_view name) {
  for (const KnownSet& set : kKnownSets)
    if (set.name == name) return &set;
  return nullptr;
}

std::vector<fs::path> places_of(std::string_view name) {
  std::vector<fs::path> places;
  const char* root = std::getenv("HALFTONE_DATA");
  if (root != nullptr && *root != '\0') places.push_back(fs::path(root) / name);
  places.push_back(fs::path("data") / name);
  places.push_back(fs::path("../shared/data") / name);
  return places;
}

std::optional<fs::path> find_place(const KnownSet& set, Part part) {
  for (const fs::path& place : places_of(set.name))
    if (set.layout.has(place, part)) return place;
  return std::nullopt;
}

const Layout* find_layout(const fs::path& directory, Part part) {
  for (const Layout* layout : {&kIdxSet, &kCifar10Set})
    if (layout->has(directory, part)) return layout;
  return nullptr;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_npz(const fs::path& path) { return path.extension() == ".npz"; }

Dataset load_known(const KnownSet& set, Part part) {
  const auto place = find_place(set, part);
  if (!place) {
    std::vector<std::string> searched;
    for (const fs::path& candidate : places_of(set.name)) searched.push_back(candidate.string());
    throw SystemError(set.name, fmt::format("no {} files in {}; `scripts/fetch-data {}` downloads them",
                                            name_of(part), fmt::join(searched, ", "), set.name));
  }
  return set.layout.read(*place, part);
}

Dataset load_directory(const fs::path& path, Part part) {
  const Layout* layout = find_layout(path, part);
  if (layout == nullptr)
    throw SystemError(
        path.string(),
        fmt::format("no {} files of a known layout (four IDX files, or CIFAR-10's .bin)", name_of(part)));
  return layout->read(path, part);
}

// "mnist" for "sets/mnist", "sets/mnist/" and "sets/mnist.npz".
std::string name_of_path(const fs::path& path) {
  if (is_npz(path)) return path.stem().string();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

Dataset load_path(const Source& source, Part part) {
  const fs::path path = source.name;
  const bool is_path = is_npz(path) || source.name.find('/') != std::string::npos;
  if (!is_path && !is_there(path))
    throw UsageError("data set",
                     fmt::format("unknown name, got '{}', expected {}, a directory or a .npz file",
                                 shown(source.name), fmt::join(dataset_names(), ", ")));
  if (!is_there(path)) throw SystemError(source.name, "no such file or directory");
  if (is_folder(path)) return load_directory(path, part);
  if (!is_npz(path))
    throw UsageError("data set",
                     fmt::format("file, got '{}', expected a directory or a .npz file", source.name));
  return read_npz_set(path, part, source.part.has_value());
}

}  // namespace

Source parse_source(std::string_view spec) {
  for (Part part : {Part::train, Part::test}) {
    const std::string suffix = fmt::format(":{}", name_of(part));
    if (spec.ends_with(suffix)) return {std::string(spec.substr(0, spec.size() - suffix.size())), part};
  }
  return {std::string(spec), std::nullopt};
}

std::vector<std::string_view> dataset_names() {
  std::vector<std::string_view> names = {kDigits};
  for (const KnownSet& set : kKnownSets) names.push_back(set.name);
  return names;
}

Dataset load(std::string_view spec, Part default_part) {
  const Source source = parse_source(spec);
  const Part part = source.part.value_or(default_part);
  if (source.name == kDigits) return make_digits(part);
  const KnownSet* known = find_known(source.name);
  Dataset dataset = known != nullptr ? load_known(*known, part) : load_path(source, part);
  dataset.name = known != nullptr ? source.name : name_of_path(source.name);
  return dataset;
}

bool available(std::string_view spec, Part default_part) {
  const Source source = parse_source(spec);
  const Part part = source.part.value_or(default_part);
  if (source.name == kDigits) return true;
  if (const KnownSet* known = find_known(source.name)) return find_place(*known, part).has_value();
  return is_folder(source.name) ? find_layout(source.name, part) != nullptr
                                : is_npz(source.name) && is_there(source.name);
}

}  // namespace halftone::data
