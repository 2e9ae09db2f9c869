#include "halftone/data/cifar10.h"

#include <fmt/format.h>

#include <string>

#include "halftone/base/error.h"
#include "halftone/base/file.h"

namespace halftone::data {
namespace {

constexpr std::int64_t kSide = 32;
constexpr std::int64_t kChannels = 3;
constexpr std::size_t kPixelBytes = kChannels * kSide * kSide;
constexpr std::size_t kRowBytes = 1 + kPixelBytes;
constexpr std::size_t kMostRows = 100000;  // of a file; CIFAR-10 has 60,000 in all
constexpr int kClasses = 10;

// Paths of all the named files, or nothing when one is missing.
std::vector<std::filesystem::path> find_all(const std::filesystem::path& directory,
                                            std::initializer_list<std::string_view> stems) {
  std::vector<std::filesystem::path> paths;
  for (std::string_view stem : stems) {
    std::error_code ignored;
    auto path = directory / fmt::format("{}.bin", stem);
    if (!std::filesystem::is_regular_file(path, ignored)) path += ".gz";
    if (!std::filesystem::is_regular_file(path, ignored)) return {};
    paths.push_back(path);
  }
  return paths;
}

std::vector<std::filesystem::path> files_of(const std::filesystem::path& directory, Part part) {
  if (part == Part::test) return find_all(directory, {"test_batch"});
  auto batches =
      find_all(directory, {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"});
  return batches.empty() ? find_all(directory, {"data_batch_train10k"}) : batches;
}

}  // namespace

Dataset parse_cifar10(std::span<const std::byte> bytes, std::string_view where) {
  if (bytes.empty() || bytes.size() % kRowBytes != 0)
    throw InputError(where, fmt::format("size of a CIFAR-10 file, got {} bytes, expected a multiple of {}",
                                        bytes.size(), kRowBytes));
  const std::size_t count = bytes.size() / kRowBytes;
  Dataset dataset{.name = "cifar10", .images = {}, .labels = {}, .classes = kClasses};
  std::string pixels;
  pixels.reserve(count * kPixelBytes);
  for (std::size_t row = 0; row < count; ++row) {
    const auto source = bytes.subspan(row * kRowBytes, kRowBytes);
    dataset.labels.push_back(std::to_integer<std::int32_t>(source[0]));
    pixels.append(reinterpret_cast<const char*>(source.data()) + 1, kPixelBytes);
  }
  dataset.images = Tensor::adopt(DType::uint8, {static_cast<std::int64_t>(count), kChannels, kSide, kSide}, std::move(pixels));
  check(dataset, where);
  return dataset;
}

Dataset read_cifar10(const std::filesystem::path& path) {
  return parse_cifar10(read_file(path, kMostRows * kRowBytes), path.string());
}

bool has_cifar10_set(const std::filesystem::path& directory, Part part) {
  return !files_of(directory, part).empty();
}

Dataset read_cifar10_set(const std::filesystem::path& directory, Part part) {
  const auto paths = files_of(directory, part);
  if (paths.empty())
    throw SystemError(directory.string(),
                      part == Part::test
                          ? "no file test_batch.bin or test_batch.bin.gz"
                          : "neither data_batch_1.bin to data_batch_5.bin nor data_batch_train10k.bin "
                            "(each plain or with .gz)");
  Dataset result;
  std::vector<Tensor> images;
  for (const auto& path : paths) {
    Dataset batch = read_cifar10(path);
    images.push_back(std::move(batch.images));
    result.labels.insert(result.labels.end(), batch.labels.begin(), batch.labels.end());
  }
  result.name = directory.filename().string();
  result.images = concatenate_rows(images);
  result.classes = kClasses;
  return result;
}

}  // namespace halftone::data
