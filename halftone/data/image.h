// One picture from a PNG or JPEG file.
#pragma once

#include <filesystem>
#include <functional>

#include "halftone/base/tensor.h"
#include "halftone/data/budget.h"
#include "halftone/data/resize.h"

namespace halftone::data {

inline constexpr std::int64_t kMostPixels = std::int64_t{1} << 26;          // of a picture, before and after resizing
inline constexpr std::int64_t kMostImageBytes = std::int64_t{256} << 20;    // of a picture's file, unpacked if it is packed
inline constexpr int kMostScans = 100;                                      // of a JPEG: each costs a pass over all of it

// Reads pictures, several threads at a time. Together they hold files of kMostImageBytes and decode kMostPixels at most,
// at up to 8 bytes a pixel: whoever would pass that waits.
class PictureReader {
 public:
  // The size and part that a picture of this height and width is brought to.
  using Choose = std::function<Target(std::int64_t height, std::int64_t width)>;

  // uint8 [3, rows, columns] of the target, red, green, blue; grey is tripled, transparency dropped, 16 bits cut to 8.
  // JPEG is decoded as libjpeg does by default. Throws InputError for a damaged file, one of another kind or one past the
  // limits, SystemError when it is missing.
  Tensor read(const std::filesystem::path& path, const Choose& choose);

 private:
  Budget bytes_{kMostImageBytes};
  Budget pixels_{kMostPixels};
};

// A picture in its own size.
Tensor read_image(const std::filesystem::path& path);

// A picture uint8 [3, H, W] in another size; of resize_and_crop as cropped() says.
Tensor resize(const Tensor& image, std::int64_t height, std::int64_t width);
Tensor resize_and_crop(const Tensor& image, std::int64_t side, std::int64_t height, std::int64_t width);

}  // namespace halftone::data
