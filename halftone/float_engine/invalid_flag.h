// Whether a NaN came up in arithmetic on this thread: the processor remembers it.
#pragma once

#include <cfenv>

namespace halftone::float_engine {

// Clears IEEE 754's flag "invalid operation", which every operation sets that makes a NaN of numbers, as x86's max and
// min do that meet one. Conversions of numbers too large for an integer set it as well. Afterwards the flag is again
// as it was.
class InvalidFlag {
 public:
  InvalidFlag() {
    std::fegetexceptflag(&before_, FE_INVALID);
    std::feclearexcept(FE_INVALID);
  }
  ~InvalidFlag() { std::fesetexceptflag(&before_, FE_INVALID); }
  InvalidFlag(const InvalidFlag&) = delete;
  InvalidFlag& operator=(const InvalidFlag&) = delete;

  bool is_set() const { return std::fetestexcept(FE_INVALID) != 0; }

 private:
  std::fexcept_t before_{};
};

}  // namespace halftone::float_engine
