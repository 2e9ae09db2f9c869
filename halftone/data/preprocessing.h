// From stored pixels to the numbers a network takes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "halftone/base/tensor.h"

namespace halftone::data {

// For a pixel p of channel c, in float32, each step rounded once and in this order:
//   value = (p / divisor - mean[c]) / std[c]
// A `mean` and `std` of one number hold for every channel.
struct Preprocessing {
  std::string name = "raw";
  float divisor = 1;
  std::vector<float> mean = {0};
  std::vector<float> std = {1};

  bool operator==(const Preprocessing&) const = default;
};

// By name; throws UsageError listing the names for any other:
//   raw       p
//   mnist     p / 255
//   cifar10   (p / 255 - mean) / std with the channel means and deviations of CIFAR-10
//   imagenet  (p / 255 - mean) / std with those of ImageNet
//   tf        (p - 128) / s, s the float32 nearest 1 / 0.00787402, TensorFlow's quantized image networks
Preprocessing preset(std::string_view name);
std::vector<std::string_view> preset_names();

// The usual preset of a data set: mnist for mnist, fashion-mnist and digits, cifar10 for cifar10, otherwise
// raw.
Preprocessing default_preset(std::string_view dataset_name);

// float32 of the same shape from uint8 [N,C,...]; float32 passes unchanged when the formula changes nothing
// (raw). Throws UsageError for another element type or number of channels.
Tensor apply(const Preprocessing& preprocessing, const Tensor& images);

// "imagenet: (p / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]": name and formula, p a pixel.
std::string describe(const Preprocessing& preprocessing);

// Whether both give the same number for every pixel, whatever their names and formulas.
bool same_numbers(const Preprocessing& a, const Preprocessing& b);

// Where a model's metadata says how its pixels were prepared, in the words of encode().
inline constexpr const char* kPreprocessingKey = "halftone.preprocessing";

// One line of text that decode() turns back into an equal value. Throws UsageError when `preprocessing`
// breaks a rule below.
std::string encode(const Preprocessing& preprocessing);

// Throws InputError unless the text is encode()'s format with a name of [A-Za-z0-9_.-], finite numbers,
// divisor and std above 0, and as many means as deviations.
Preprocessing decode(std::string_view text);

}  // namespace halftone::data
