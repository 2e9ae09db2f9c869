// The arrays that the C++ computes for a case, under the names of CASES.md.
#pragma once

#include <map>

#include "tests/oracle/random_case.h"

namespace halftone::oracle {

using Arrays = std::map<std::string, Tensor>;

// Throws InputError when the arithmetic refuses the layer.
Arrays compute(const Case& c);

}  // namespace halftone::oracle
