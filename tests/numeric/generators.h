// RapidCheck's numbers over their whole ranges (its own begin small), and any integer format.
#pragma once

#include <rapidcheck.h>

#include <cmath>
#include <cstdint>

#include "halftone/numeric/affine.h"
#include "halftone/numeric/format.h"
#include "halftone/numeric/rounding.h"

namespace halftone::numeric {

// Any 64 bits, each as likely.
inline rc::Gen<std::uint64_t> any_bits() {
  return rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>());
}

// An int64 of any magnitude: all bit lengths are as likely.
inline rc::Gen<std::int64_t> any_int64() {
  return rc::gen::map(rc::gen::pair(any_bits(), rc::gen::inRange(0, 64)), [](const auto& drawn) {
    return static_cast<std::int64_t>(drawn.first) >> drawn.second;
  });
}

// ±m·2^e with m in [1, 2): the exponent uniform in [low, high].
inline rc::Gen<double> real_of_exponent(int low, int high) {
  return rc::gen::map(
      rc::gen::pair(any_bits(), rc::gen::resize(rc::kNominalSize, rc::gen::inRange(low, high + 1))),
      [](const auto& drawn) {
        const double mantissa = 1.0 + std::ldexp(static_cast<double>(drawn.first >> 12), -52);
        return std::ldexp((drawn.first & 1) != 0 ? -mantissa : mantissa, drawn.second);
      });
}
inline rc::Gen<double> positive_of_exponent(int low, int high) {
  return rc::gen::map(real_of_exponent(low, high), [](double x) { return std::fabs(x); });
}

inline rc::Gen<float> float_of_exponent(int low, int high) {
  return rc::gen::map(real_of_exponent(low, high), [](double x) { return static_cast<float>(x); });
}
inline rc::Gen<float> positive_float_of_exponent(int low, int high) {
  return rc::gen::map(float_of_exponent(low, high), [](float x) { return std::fabs(x); });
}

}  // namespace halftone::numeric

namespace rc {

template <>
struct Arbitrary<halftone::numeric::IntegerFormat> {
  static Gen<halftone::numeric::IntegerFormat> arbitrary() {
    return gen::map(gen::pair(gen::resize(kNominalSize, gen::inRange(1, 17)), gen::inRange(0, 3)),
                    [](const auto& drawn) {
                      const bool is_signed = drawn.second > 0;
                      return halftone::numeric::IntegerFormat{drawn.first, is_signed,
                                                              drawn.second == 2 && drawn.first >= 2};
                    });
  }
};

template <>
struct Arbitrary<halftone::numeric::Rounding> {
  static Gen<halftone::numeric::Rounding> arbitrary() {
    using halftone::numeric::Rounding;
    return gen::element(Rounding::half_even, Rounding::half_away, Rounding::half_up, Rounding::floor);
  }
};

}  // namespace rc
