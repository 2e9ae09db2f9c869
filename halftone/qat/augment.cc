#include "halftone/qat/augment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "halftone/base/error.h"

namespace halftone::qat {
namespace {

// Numbers for a row, whichever batch and process it comes to.
std::mt19937_64 random_for(std::uint64_t seed, std::int64_t row) {
  std::seed_seq both{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), static_cast<std::uint32_t>(row)};
  return std::mt19937_64(both);
}

torch::Tensor cropped(const torch::Tensor& images, const torch::Tensor& rows, Augmentation augmentation, std::uint64_t seed) {
  constexpr std::int64_t kMost = 4;
  const std::int64_t height = images.size(2);
  const std::int64_t width = images.size(3);
  const torch::Tensor padded = at::replication_pad2d(images, {kMost, kMost, kMost, kMost});
  std::vector<torch::Tensor> all;
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    std::uint64_t drawn = random_for(seed, rows[i].item<std::int64_t>())();
    const auto draw = [&](std::int64_t below) {
      const auto value = static_cast<std::int64_t>(drawn % static_cast<std::uint64_t>(below));
      drawn /= static_cast<std::uint64_t>(below);
      return value;
    };
    const std::int64_t top = draw(2 * kMost + 1);
    const std::int64_t left = draw(2 * kMost + 1);
    torch::Tensor image = padded[i].narrow(1, top, height).narrow(2, left, width);
    if (draw(2) == 1 && augmentation != Augmentation::crop) image = image.flip(2);
    if (augmentation == Augmentation::cutout) {
      const std::int64_t y = draw(height);
      const std::int64_t x = draw(width);
      const std::int64_t half = std::max<std::int64_t>(1, height / 4);
      image = image.clone();
      image.slice(1, std::max<std::int64_t>(0, y - half), y + half).slice(2, std::max<std::int64_t>(0, x - half), x + half).zero_();
    }
    all.push_back(image);
  }
  return at::stack(all);
}

torch::Tensor turned(const torch::Tensor& images, const torch::Tensor& rows, std::uint64_t seed) {
  torch::Tensor maps = at::zeros({images.size(0), 2, 3});
  const double aspect = static_cast<double>(images.size(2)) / static_cast<double>(images.size(3));  // coordinates go from −1 to 1 both ways
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    std::mt19937_64 random = random_for(seed, rows[i].item<std::int64_t>());
    const auto between = [&](double lo, double hi) { return lo + (hi - lo) * static_cast<double>(random() >> 11) * 0x1p-53; };
    const double angle = between(-10.0, 10.0) * std::numbers::pi / 180.0;
    const double scale = between(0.9, 1.1);
    const double map[] = {scale * std::cos(angle), -scale * std::sin(angle) * aspect, between(-0.2, 0.2), scale * std::sin(angle) / aspect, scale * std::cos(angle), between(-0.2, 0.2)};
    for (std::int64_t k = 0; k < 6; ++k) maps[i][k / 3][k % 3] = map[k];
  }
  constexpr std::int64_t kBilinear = 0, kRepeatEdges = 1;
  const torch::Tensor grid = at::affine_grid_generator(maps, images.sizes(), /*align_corners=*/false);
  return at::grid_sampler(images, grid, kBilinear, kRepeatEdges, /*align_corners=*/false);
}

}  // namespace

torch::Tensor augmented(const torch::Tensor& images, const torch::Tensor& rows, Augmentation augmentation, std::uint64_t seed) {
  if (augmentation == Augmentation::none || images.size(0) == 0) return images;
  return augmentation == Augmentation::affine ? turned(images, rows, seed) : cropped(images, rows, augmentation, seed);
}

void expect_augmentable(Augmentation augmentation, const Tensor& images) {
  if (augmentation != Augmentation::none && images.rank() != 4)
    throw UsageError("train", fmt::format("augmentation of rows of shape {}, expected pictures [N, C, H, W]", to_string(images.shape())));
}

}  // namespace halftone::qat
