// The order in which an epoch sees the rows.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace halftone::qat {

// A uniformly random permutation of [0, count): Fisher and Yates, as Knuth, TAOCP volume 2, algorithm 3.4.2P.
// The same state of `random` gives the same order on every machine: std::shuffle does not.
std::vector<std::int64_t> random_row_order(std::int64_t count, std::mt19937_64& random);

}  // namespace halftone::qat
