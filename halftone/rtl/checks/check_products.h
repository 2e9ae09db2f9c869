// Products of random numbers through a simulated array, each result compared.
#pragma once

#include <cstdint>
#include <functional>

#include "halftone/rtl/product.h"

namespace halftone::rtl {

struct ProductChecks {
  std::uint64_t outputs = 0;  // compared
  std::uint64_t different = 0;
  std::uint64_t inside = 0;  // that no bound held
  std::int64_t cycles = 0;   // of a product, when nothing stalls
};

struct ProductCheckOptions {
  std::uint64_t outputs = 100'000;  // at least so many, in turns random, extreme and ties; a third of the products without stalls
  int stall_percent = 30;           // of the others, of every stream
  int bytes_a_cycle = 0;            // see Job; of the products without stalls
  std::uint64_t seed = 1;
  std::function<void(double)> progress;  // fraction done
};

// Each result against numeric::requantize_fixed. Throws InputError when the simulation stands still, or takes other cycles for two products
// without stalls.
ProductChecks check_products(Simulation& simulation, const ArrayGeometry& geometry, const ProductShape& shape, const ProductCheckOptions& options);

}  // namespace halftone::rtl
