#include "halftone/qat/augment.h"

#include <vector>

namespace halftone::qat {

torch::Tensor augmented(const torch::Tensor& images, Augmentation augmentation, std::mt19937_64& random) {
  if (augmentation == Augmentation::none) return images;
  constexpr std::int64_t kMost = 4;
  const torch::Tensor padded = at::replication_pad2d(images, {kMost, kMost, kMost, kMost});
  std::vector<torch::Tensor> all;
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    const std::uint64_t drawn = random();
    const auto top = static_cast<std::int64_t>(drawn % (2 * kMost + 1));
    const auto left = static_cast<std::int64_t>(drawn / 16 % (2 * kMost + 1));
    torch::Tensor image = padded[i].narrow(1, top, images.size(2)).narrow(2, left, images.size(3));
    if (augmentation == Augmentation::crop_flip && drawn / 256 % 2 == 1) image = image.flip(2);
    all.push_back(image);
  }
  return at::stack(all);
}

}  // namespace halftone::qat
