// Labelled pictures in a folder.
#pragma once

#include <filesystem>

#include "halftone/data/dataset.h"

namespace halftone::data {

struct ImageSetOptions {
  std::filesystem::path images;
  std::filesystem::path
      labels;  // "file label" a line; empty: the folders in `images`, sorted, are the classes
  std::int64_t height = 224;
  std::int64_t width = 224;
  std::int64_t resize = 0;        // the short side before the centre is cut out; 0: 8/7 of the smaller size
  bool crop = true;               // false: the whole picture is brought to height x width
  std::int64_t sample = 0;        // so many at even spacing; 0: all
  int threads = 1;
};

// uint8 [N, 3, height, width]. A picture of another size (of any, when `resize` is given) has its short side
// brought to `resize` and its centre cut out, or with `crop` off both sides changed. Throws UsageError for a
// `resize` that is smaller than what is cut out, InputError naming a line or picture that is damaged.
Dataset read_image_set(const ImageSetOptions& options);

}  // namespace halftone::data
