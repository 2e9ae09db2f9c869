// IDX files, the format of MNIST: a big-endian header, then one byte an element.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "halftone/base/tensor.h"

namespace halftone::data {

// uint8 [N,H,W] from an image file (magic 2051), uint8 [N] from a label file (magic 2049); plain or gzipped.
// Throws InputError when the header is wrong or the length isn't exactly what it says, SystemError when the
// file can't be read. No more than the header says is unpacked.
Tensor read_idx(const std::filesystem::path& path);
// The shape that the header says: [N,H,W] or [N].
Shape read_idx_shape(const std::filesystem::path& path);
Tensor parse_idx(std::span<const std::byte> bytes, std::string_view where);

// The inverse, uncompressed. Throws UsageError unless `tensor` is uint8 [N,H,W] with H, W > 0, or uint8 [N].
void write_idx(const std::filesystem::path& path, const Tensor& tensor);
std::vector<std::byte> encode_idx(const Tensor& tensor);

}  // namespace halftone::data
