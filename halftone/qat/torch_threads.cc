#include "halftone/qat/torch_threads.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <torch/utils.h>

namespace halftone::qat {

void set_torch_threads(int threads) {
  at::set_num_threads(threads);
  // Looked up when run: libtorch may have been linked with another BLAS, which heeds at::set_num_threads.
  if (void* symbol = dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))
    reinterpret_cast<void (*)(int)>(symbol)(threads);
}

void make_deterministic(int threads, std::uint64_t seed) {
  set_torch_threads(threads);
  torch::manual_seed(seed);
  at::globalContext().setDeterministicAlgorithms(/*deterministic=*/true, /*warn_only=*/false);
}

}  // namespace halftone::qat
