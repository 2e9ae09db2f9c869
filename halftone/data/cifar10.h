// CIFAR-10 in its binary layout: rows of 3,073 bytes, a label and then three planes of 32x32 pixels.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "halftone/data/dataset.h"

namespace halftone::data {

// One file, plain or gzipped: images as uint8 [N,3,32,32] (red, green, blue), 10 classes. Throws InputError
// when the size isn't a multiple of 3,073 or a label is above 9, SystemError when the file can't be read.
Dataset read_cifar10(const std::filesystem::path& path);
Dataset parse_cifar10(std::span<const std::byte> bytes, std::string_view where);

// The directory holds the part: test_batch.bin, or data_batch_1.bin to data_batch_5.bin, or
// data_batch_train10k.bin (10,000 training rows); each plain or with ".gz".
bool has_cifar10_set(const std::filesystem::path& directory, Part part);

// The part's files, joined. Throws SystemError when one is missing.
Dataset read_cifar10_set(const std::filesystem::path& directory, Part part);

}  // namespace halftone::data
