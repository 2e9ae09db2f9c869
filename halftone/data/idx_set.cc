#include "halftone/data/idx_set.h"

#include <fmt/format.h>

#include <optional>

#include "halftone/base/error.h"
#include "halftone/data/idx.h"

namespace halftone::data {
namespace {

constexpr int kClasses = 10;

struct FileNames {
  std::string_view stem;
  std::string_view suffix;
};

FileNames images_of(Part part) {
  return {part == Part::train ? "train-images" : "t10k-images", "idx3-ubyte"};
}
FileNames labels_of(Part part) {
  return {part == Part::train ? "train-labels" : "t10k-labels", "idx1-ubyte"};
}

std::optional<std::filesystem::path> find(const std::filesystem::path& directory, const FileNames& names) {
  for (std::string_view packing : {"", ".gz"})
    for (char separator : {'-', '.'}) {
      const auto path = directory / fmt::format("{}{}{}{}", names.stem, separator, names.suffix, packing);
      std::error_code ignored;
      if (std::filesystem::is_regular_file(path, ignored)) return path;
    }
  return std::nullopt;
}

std::filesystem::path require(const std::filesystem::path& directory, const FileNames& names) {
  if (auto path = find(directory, names)) return *path;
  throw SystemError(directory.string(),
                    fmt::format("no file {0}-{1}, {0}.{1} or either with .gz", names.stem, names.suffix));
}

}  // namespace

bool has_idx_set(const std::filesystem::path& directory, Part part) {
  return find(directory, images_of(part)) && find(directory, labels_of(part));
}

Dataset read_idx_set(const std::filesystem::path& directory, Part part) {
  const auto images_path = require(directory, images_of(part));
  const auto labels_path = require(directory, labels_of(part));
  const Shape images_shape = read_idx_shape(images_path);
  const Shape labels_shape = read_idx_shape(labels_path);
  if (images_shape.size() != 3)
    throw InputError(images_path.string(), "magic number, got that of labels, expected that of images");
  if (labels_shape.size() != 1)
    throw InputError(labels_path.string(), "magic number, got that of images, expected that of labels");
  if (labels_shape[0] != images_shape[0])
    throw InputError(labels_path.string(), fmt::format("number of labels, got {}, expected {} (one an image)",
                                                       labels_shape[0], images_shape[0]));
  const Tensor labels = read_idx(labels_path);
  const Tensor images = read_idx(images_path);
  const auto values = labels.data<std::uint8_t>();
  Dataset dataset{.name = directory.filename().string(),
                  .images = images.reshaped({images.dim(0), 1, images.dim(1), images.dim(2)}),
                  .labels = {values.begin(), values.end()},
                  .classes = kClasses};
  check(dataset, labels_path.string());
  return dataset;
}

void write_idx_set(const std::filesystem::path& directory, Part part, const Dataset& dataset) {
  const Tensor& images = dataset.images;
  if (images.dtype() != DType::uint8 || images.rank() != 4 || images.dim(1) != 1 || dataset.classes > 256)
    throw UsageError("write IDX",
                     fmt::format("images, got {} {} in {} classes, expected uint8 [N,1,H,W] in at most 256",
                                 name_of(images.dtype()), to_string(images.shape()), dataset.classes));
  check(dataset, "write IDX");
  const auto path_of = [&](const FileNames& names) {
    return directory / fmt::format("{}-{}", names.stem, names.suffix);
  };
  write_idx(path_of(images_of(part)), images.reshaped({images.dim(0), images.dim(2), images.dim(3)}));
  write_idx(path_of(labels_of(part)),
            Tensor::from<std::int32_t>({dataset.size()}, dataset.labels).cast(DType::uint8));
}

}  // namespace halftone::data
