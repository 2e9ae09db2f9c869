// y[u8, M×N] = scale·(x[u8, M×K]·w[s8, K×N]) as oneDNN computes it, to time the engine's kernels against.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace halftone::peers {

struct MatmulSizes {
  std::int64_t rows = 1;     // M
  std::int64_t depth = 1;    // K
  std::int64_t columns = 1;  // N
};

// On one thread, on bytes of its own, scales by column.
class OnednnMatmul {
 public:
  // Throws UnsupportedError where the program is built without oneDNN.
  explicit OnednnMatmul(const MatmulSizes& sizes);
  OnednnMatmul(OnednnMatmul&&) noexcept;
  ~OnednnMatmul();

  void run();
  std::string implementation() const;

 private:
  struct Chain;
  std::unique_ptr<Chain> chain_;
};

}  // namespace halftone::peers
