#include "halftone/rtl/checks/check_products.h"

#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/rtl/checks/random_product.h"

namespace halftone::rtl {
namespace {

constexpr std::uint64_t kKinds = 3;  // of Numbers

void compare(const ArrayGeometry& geometry, const Product& product, const Outcome& outcome, ProductChecks& checks) {
  const std::vector<std::int32_t> y = results_of(geometry, product, outcome.out), expected = expected_results(geometry, product);
  checks.outputs += y.size();
  for (std::size_t i = 0; i < y.size(); ++i) {
    checks.different += y[i] != expected[i];
    checks.inside += expected[i] != product.bounds.lo && expected[i] != product.bounds.hi;
  }
}

}  // namespace

ProductChecks check_products(Simulation& simulation, const ArrayGeometry& geometry, const ProductShape& shape, const ProductCheckOptions& options) {
  ProductChecks checks;
  for (std::uint64_t i = 0; checks.outputs < options.outputs || i < 2 * kKinds; ++i) {
    const Product product = random_product(geometry, shape, static_cast<Numbers>(i % kKinds), options.seed + i);
    Job job = job_of(geometry, product);
    job.seed = static_cast<std::uint32_t>(options.seed + i);
    const bool stalls = options.stall_percent > 0 && i / kKinds % 3 != 0;
    if (stalls)
      job.stalls = {{options.stall_percent, options.stall_percent, options.stall_percent}, options.stall_percent};
    else if (options.bytes_a_cycle > 0)
      share_bytes(geometry, product, options.bytes_a_cycle, job);
    const Outcome outcome = simulation.run(job);
    if (!stalls) {
      const auto cycles = static_cast<std::int64_t>(outcome.cycles);
      if (checks.cycles != 0 && checks.cycles != cycles)
        throw InputError("rtl", fmt::format("a product takes {} cycles and another {}, expected the same", checks.cycles, cycles));
      checks.cycles = cycles;
    }
    compare(geometry, product, outcome, checks);
    if (options.progress) options.progress(std::min(1.0, static_cast<double>(checks.outputs) / static_cast<double>(options.outputs)));
  }
  return checks;
}

}  // namespace halftone::rtl
