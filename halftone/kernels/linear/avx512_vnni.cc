// Panels of 64, 32 and 16 channels for the tiles of x86_avx512_vnni_tile.S. Compiled for any machine.
#include <algorithm>
#include <array>
#include <bit>

#include "halftone/kernels/linear/isa_linears.h"
#include "halftone/kernels/linear/sum_tile.h"

extern "C" {
#define TILE(pixels, registers) void halftone_avx512_vnni_##pixels##x##registers(const halftone::kernels::SumTile*);
TILE(1, 4) TILE(2, 4) TILE(3, 4) TILE(4, 4) TILE(5, 4) TILE(6, 4) TILE(7, 4)
TILE(1, 2) TILE(2, 2) TILE(3, 2) TILE(4, 2) TILE(5, 2) TILE(6, 2) TILE(7, 2)
TILE(8, 2) TILE(9, 2) TILE(10, 2) TILE(11, 2) TILE(12, 2) TILE(13, 2) TILE(14, 2)
TILE(1, 1) TILE(2, 1) TILE(4, 1) TILE(6, 1) TILE(8, 1) TILE(12, 1) TILE(16, 1) TILE(20, 1) TILE(24, 1)
#undef TILE
}

namespace halftone::kernels {
namespace {

struct Tile {
  int pixels;
  SumKernel run;
};

// By the number of registers of a panel's columns: tiles, the largest first.
#define TILE(pixels, registers) Tile{pixels, halftone_avx512_vnni_##pixels##x##registers}
constexpr std::array kTilesOf4 = {TILE(7, 4), TILE(6, 4), TILE(5, 4), TILE(4, 4), TILE(3, 4), TILE(2, 4), TILE(1, 4)};
constexpr std::array kTilesOf2 = {TILE(14, 2), TILE(13, 2), TILE(12, 2), TILE(11, 2), TILE(10, 2), TILE(9, 2), TILE(8, 2),
                                  TILE(7, 2),  TILE(6, 2),  TILE(5, 2),  TILE(4, 2),  TILE(3, 2),  TILE(2, 2), TILE(1, 2)};
constexpr std::array kTilesOf1 = {TILE(24, 1), TILE(20, 1), TILE(16, 1), TILE(12, 1), TILE(8, 1),
                                  TILE(6, 1),  TILE(4, 1),  TILE(2, 1),  TILE(1, 1)};
#undef TILE
constexpr int kMostSums = 28 * 16;

std::span<const Tile> tiles_of(int registers) {
  if (registers == 4) return kTilesOf4;
  if (registers == 2) return kTilesOf2;
  return kTilesOf1;
}

// Tiles of about one size: 10 pixels are 5 and 5, not 7 and 3.
const Tile& next_tile(std::span<const Tile> tiles, std::int64_t left) {
  const std::int64_t most = tiles.front().pixels;
  const std::int64_t count = (left + most - 1) / most;
  const std::int64_t size = (left + count - 1) / count;
  return *std::ranges::find_if(tiles, [&](const Tile& tile) { return tile.pixels <= size; });
}

struct alignas(64) Line {
  std::array<std::int8_t, 64> bytes{};
};

struct alignas(64) Bias {
  std::array<std::int32_t, 64> sums{};
};

struct Panel {
  std::int64_t first = 0;
  int count = 0;
  int registers = 4;
  std::size_t weights = 0;  // its first line
  std::size_t columns = 0;
  Bias bias;
  FinishKernel finish = nullptr;  // none: plain
};

class Vnni : public Linear {
 public:
  Vnni(const LinearWeights& w, const Requantization& r) : taps_(w.taps), steps_(std::max<std::int64_t>(1, (w.depth + 3) / 4)), requantization_(r) {
    for (std::int64_t first = 0; first < w.channels;) {
      const std::int64_t left = w.channels - first;
      const int registers = left <= 16 ? 1 : left <= 32 ? 2 : 4;
      Panel& panel = panels_.emplace_back();
      panel.first = first;
      panel.count = static_cast<int>(std::min<std::int64_t>(left, 16 * registers));
      panel.registers = registers;
      pack(panel, w);
      first += panel.count;
    }
  }

  std::int64_t panels() const override { return static_cast<std::int64_t>(panels_.size()); }

  void run(const LinearRun& rows, std::int64_t at) const override {
    const Panel& panel = panels_[static_cast<std::size_t>(at)];
    alignas(64) std::array<std::int32_t, kMostSums> sums;
    const Line* weights = weights_.data() + panel.weights;
    SumTile tile{.x = rows.x,
                 .pixel = rows.x_pixel,
                 .taps = rows.taps,
                 .tap_count = taps_,
                 .steps = steps_,
                 .weights = weights->bytes.data(),
                 .bias = panel.bias.sums.data(),
                 .sums = sums.data(),
                 .next = weights};
    std::uint8_t* y = rows.y + panel.first;
    const std::span<const Tile> tiles = tiles_of(panel.registers);
    for (std::int64_t left = rows.pixels; left > 0;) {
      const Tile& each = next_tile(tiles, left);
      each.run(&tile);
      finish(sums.data(), each.pixels, panel, y, rows.y_pixel);
      tile.x += each.pixels * rows.x_pixel;
      y += each.pixels * rows.y_pixel;
      left -= each.pixels;
    }
  }

 private:
  // Weights [T][K/4][register][column][4].
  void pack(Panel& panel, const LinearWeights& w) {
    panel.weights = weights_.size();
    panel.columns = columns_.size();
    weights_.resize(weights_.size() + static_cast<std::size_t>(std::max<std::int64_t>(1, taps_ * steps_ * panel.registers)));
    columns_.resize(columns_.size() + static_cast<std::size_t>(panel.registers));
    const Finish kind = finish_of(panel, w);
    panel.finish = finish_avx512(kind, panel.registers);
    for (int i = 0; i < 16 * panel.registers; ++i) {
      const int in_panel = channel_of(panel.registers, i / 16, i % 16);
      if (in_panel >= panel.count) continue;
      const std::int64_t channel = panel.first + in_panel;
      panel.bias.sums[static_cast<std::size_t>(i)] = w.bias[static_cast<std::size_t>(channel)];
      set_column(columns_[panel.columns + static_cast<std::size_t>(i / 16)], i % 16, static_cast<std::size_t>(channel), kind);
      for (std::int64_t k = 0; k < taps_ * w.depth; ++k) {
        const std::int64_t step = k / w.depth * steps_ + k % w.depth / 4;
        Line& line = weights_[panel.weights + static_cast<std::size_t>(step * panel.registers + i / 16)];
        line.bytes[static_cast<std::size_t>(i % 16 * 4 + k % w.depth % 4)] = w.w[static_cast<std::size_t>(channel * taps_ * w.depth + k)];
      }
    }
  }

  void set_column(Columns& columns, int lane, std::size_t channel, Finish kind) const {
    if (kind == Finish::plain) return;
    if (kind == Finish::real) {
      columns.M[lane] = requantization_.M[channel];
      return;
    }
    const Multiplier scaled = multiplier(channel, kind);
    columns.m[lane] = static_cast<std::int32_t>(scaled.m);
    if (lane > 0) columns.m_odd[lane - 1] = columns.m[lane];
    columns.shift[lane] = scaled.shift;
  }

  struct Multiplier {
    std::int64_t m;
    int shift;
  };
  // For the high halves of products m has 31 bits, and the shift is what is left of it.
  Multiplier multiplier(std::size_t channel, Finish kind) const {
    const std::int64_t m = requantization_.m[channel];
    const int shift = requantization_.shift[channel];
    if (kind != Finish::half_up) return {m, shift};
    if (m == 0) return {0, 0};
    const int more = 31 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(m)));
    return {m << more, shift + more - 33};
  }

  Finish finish_of(const Panel& panel, const LinearWeights& w) const {
    if (requantization_.is_float()) return Finish::real;
    bool is_fast = true;
    for (std::int64_t channel = panel.first; channel < panel.first + panel.count; ++channel) {
      const auto c = static_cast<std::size_t>(channel);
      const int shift = requantization_.shift[c];
      if (requantization_.m[c] < 0 || requantization_.m[c] > INT32_MAX || shift < 1 || shift > 62) return Finish::plain;
      is_fast &= multiplier(c, Finish::half_up).shift >= 0 && rounds_half_up(c, w.bound[c]);
    }
    return is_fast ? Finish::half_up : Finish::exact;
  }

  bool rounds_half_up(std::size_t channel, std::int64_t bound) const {
    if (requantization_.rounding == numeric::Rounding::half_up) return true;
    return requantization_.rounding != numeric::Rounding::floor &&
           is_free_of_ties(requantization_.m[channel], requantization_.shift[channel], bound);
  }

  void finish(const std::int32_t* sums, int pixels, const Panel& panel, std::uint8_t* y, std::ptrdiff_t y_pixel) const {
    const numeric::OutputBounds& bounds = requantization_.bounds;
    if (panel.finish != nullptr)
      return panel.finish(sums, pixels, columns_.data() + panel.columns,
                          {requantization_.rounding, bounds.zero_point, bounds.lo, bounds.hi, panel.count}, y, y_pixel);
    for (int p = 0; p < pixels; ++p)
      for (int i = 0; i < 16 * panel.registers; ++i) {
        const int c = channel_of(panel.registers, i / 16, i % 16);
        if (c >= panel.count) continue;
        const auto channel = static_cast<std::size_t>(panel.first + c);
        y[p * y_pixel + c] = static_cast<std::uint8_t>(requantization_(sums[p * 16 * panel.registers + i], channel));
      }
  }

  std::int64_t taps_;
  std::int64_t steps_;
  Requantization requantization_;
  std::vector<Panel> panels_;
  std::vector<Line> weights_;
  std::vector<Columns> columns_;
};

}  // namespace

std::unique_ptr<Linear> pack_avx512_vnni(const LinearWeights& weights, const Requantization& requantization) {
  return std::make_unique<Vnni>(weights, requantization);
}

}  // namespace halftone::kernels
