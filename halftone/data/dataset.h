// A labelled set of images, and smaller sets taken from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/base/tensor.h"

namespace halftone::data {

enum class Part { train, test };

std::string_view name_of(Part part);

struct Dataset {
  std::string name;
  Tensor images;                     // uint8 [N,C,H,W]; from .npz also float32, and [N,F]
  std::vector<std::int32_t> labels;  // N values in [0, classes)
  int classes = 0;

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
};

// Throws InputError naming `where` when rows and labels differ in number or a label is outside [0, classes).
void check(const Dataset& dataset, std::string_view where);

// The first `count` rows, or all when there are fewer. Throws UsageError when count < 1.
Dataset first(const Dataset& dataset, std::int64_t count);

// The rows of any array that sample() takes.
Tensor sample_rows(const Tensor& rows, std::int64_t count);

// `count` rows at even spacing, row i being floor(i * size / count), or all when there are fewer.
// Throws UsageError when count < 1.
Dataset sample(const Dataset& dataset, std::int64_t count);

// How many rows each class has.
std::vector<std::int64_t> class_counts(const Dataset& dataset);

}  // namespace halftone::data
