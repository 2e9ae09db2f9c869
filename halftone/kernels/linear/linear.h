// Layers with weights on channels-last rows: y[p][m] = requantize(bias[m] + Σ_t Σ_k x[p·pixel + tap[t] + k]·w[m][t][k]), x and y
// unsigned bytes or signed words of 16 bits. A Gemm has one tap; a Conv has one for each of its window's rows, or elements. Sums are
// int32 and wrap: the layer's own bound says that the last one fits. docs/arithmetic.md sections 4 to 6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "halftone/kernels/isa.h"
#include "halftone/kernels/linear/stored.h"
#include "halftone/kernels/requantization.h"

namespace halftone::kernels {

// Taps [first, first + count) alone, for pixels whose others lie in the padding; `bias` holds what those add there.
struct TapRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::vector<std::int32_t> bias;  // [M]
};

struct LinearWeights {
  std::int64_t channels = 0;           // M
  std::int64_t taps = 1;               // T
  std::int64_t depth = 0;              // K: elements of a tap
  std::span<const std::int16_t> w;     // [M][T][K]; signed bytes where x is bytes
  std::span<const std::int32_t> bias;  // [M]
  std::span<const std::int64_t> bound; // [M]: of |the last sum|
  std::span<const TapRange> ranges = {};
  Stored x = Stored::bytes;
  Stored y = Stored::bytes;
  std::ptrdiff_t x_pixel = 0;  // bytes from one pixel of a run to the next, where that is known
};

// The rows of pixels that a layer reads and writes. Distances are in bytes, whatever is stored.
struct LinearRun {
  const std::uint8_t* x = nullptr;
  std::ptrdiff_t x_pixel = 0;                 // from one to the next
  const std::ptrdiff_t* taps = nullptr;       // [T]: from a pixel
  std::int64_t pixels = 0;
  std::uint8_t* y = nullptr;
  std::ptrdiff_t y_pixel = 0;
  std::int64_t range = -1;    // of LinearWeights::ranges; -1: all taps
  std::int64_t sequence = 0;  // which run of this panel it is: other weights are fetched meanwhile, a part in each
};

// Bytes that may be read behind the last of a tap, or of a pixel's channels. They change nothing.
inline constexpr std::ptrdiff_t kReadBehind = 15;

// A layer packed for an instruction set. Immutable.
class Linear {
 public:
  virtual ~Linear() = default;
  // Channels are cut into panels; run computes those of panel `panel` alone.
  virtual std::int64_t panels() const = 0;
  virtual void run(const LinearRun& rows, std::int64_t panel) const = 0;
  // Bits in which a weight of the first panel stands.
  virtual int weight_bits() const { return 8; }
};

// Throws UnsupportedError for an instruction set that this CPU has not.
std::unique_ptr<Linear> pack_linear(Isa isa, const LinearWeights& weights, const Requantization& requantization);

}  // namespace halftone::kernels
