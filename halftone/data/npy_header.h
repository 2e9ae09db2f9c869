// The text header of a .npy file: a Python dictionary of element type, order and shape.
#pragma once

#include <string>
#include <string_view>

#include "halftone/base/shape.h"

namespace halftone::data {

// NumPy itself allows 64 dimensions (32 before 2.0).
inline constexpr std::size_t kMaxNpyRank = 64;

struct NpyHeader {
  std::string descr;  // "<f4"
  bool fortran_order = false;
  Shape shape;
};

// Throws InputError for anything but a dictionary of exactly these three entries, UnsupportedError when the
// type is a record.
NpyHeader parse_npy_header(std::string_view text, std::string_view where);

std::string encode_npy_header(const NpyHeader& header);

}  // namespace halftone::data
