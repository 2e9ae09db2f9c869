// The built-in digit set: handwriting drawn by the program, so that everything can be tried without a
// download.
#pragma once

#include <cstdint>

#include "halftone/base/parallel_for.h"
#include "halftone/data/dataset.h"

namespace halftone::data {

// 20,000 for training and 4,000 for testing.
std::int64_t default_digit_count(Part part);

// `count` images, white on black, uint8 [count,1,28,28], labels 0 to 9. Image i depends on (part, i) alone:
// not on `count`, the number of threads or the machine, so a shorter set is the beginning of a longer one.
// Every ten images from a multiple of ten hold each digit once, in an order of their own. Throws UsageError
// when count < 1.
Dataset make_digits(Part part, std::int64_t count, int threads = available_threads());
Dataset make_digits(Part part);

}  // namespace halftone::data
