// NumPy's .npy files: one array a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/base/tensor.h"

namespace halftone::data {

// Reads format versions 1.0, 2.0 and 3.0, either byte order, C and Fortran order (transposed to C), element
// types f2 f4 f8 i1 u1 i2 u2 i4 u4 i8 u8 b1. Throws UnsupportedError for any other type or version,
// InputError for a malformed header or a length other than the header says, SystemError when the file can't
// be read.
Tensor read_npy(const std::filesystem::path& path);
Tensor parse_npy(std::span<const std::byte> bytes, std::string_view where);

// An array of a file that is known by its header, and read, or unpacked, when it is asked for: once.
struct StoredArray {
  std::string name;
  DType dtype = DType::float32;
  Shape shape;
  std::function<Tensor()> read;
};
// The one of a .npy file, without a name. Throws as read_npy does.
StoredArray open_npy(const std::filesystem::path& path);

// All that the start of a .npy array says.
struct NpyStart {
  DType dtype = DType::float32;
  Shape shape;
  std::uint64_t bytes = 0;  // of the whole array, its header among them
};
// How many of the first bytes say it, by the first kNpyPrefix of them.
inline constexpr std::size_t kNpyPrefix = 12;
std::size_t npy_start_bytes(std::span<const std::byte> prefix);
// Throws as parse_npy does.
NpyStart parse_npy_start(std::span<const std::byte> bytes, std::string_view where);

// Writes version 1.0, little-endian, C order; integers of fewer than 8 bits as int8 or uint8, bfloat16 as
// float32. Throws UsageError for more dimensions than a header can list.
void write_npy(const std::filesystem::path& path, const Tensor& tensor);
std::vector<std::byte> encode_npy(const Tensor& tensor);

}  // namespace halftone::data
