// Integers as people read them in binary: two's complement with a binary point.
#pragma once

#include <cstdint>
#include <string>

namespace halftone::numeric {

// The low `bits` bits of `q` in two's complement, with the point `fraction_length` places from the right:
// (127, 8, 4) is "0111.1111", (−128, 8, 4) is "1000.0000". A point outside the digits is reached by repeating
// the sign on the left, or by zeros on the right; fraction_length 0 writes none.
std::string binary_text(std::int64_t q, int bits, int fraction_length);

// Two's complement in hexadecimal, as many digits as `bits` fill: "0x7f".
std::string hex_text(std::int64_t q, int bits);

}  // namespace halftone::numeric
