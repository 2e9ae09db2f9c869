// Panels of 64, 32 and 16 channels for the tiles of x86_avx512_vnni_tile.S. Compiled for any machine.
#include <algorithm>
#include <array>
#include <cstring>

#include "halftone/kernels/linear/isa_linears.h"
#include "halftone/kernels/linear/panel_finish.h"

extern "C" {
#define TILE(pixels, registers)                                                      \
  void halftone_avx512_vnni_##pixels##x##registers(const halftone::kernels::SumTile*); \
  void halftone_avx512_vnni_words_##pixels##x##registers(const halftone::kernels::SumTile*);
TILE(1, 4) TILE(2, 4) TILE(3, 4) TILE(4, 4) TILE(5, 4) TILE(6, 4) TILE(7, 4)
TILE(1, 2) TILE(2, 2) TILE(3, 2) TILE(4, 2) TILE(5, 2) TILE(6, 2) TILE(7, 2)
TILE(8, 2) TILE(9, 2) TILE(10, 2) TILE(11, 2) TILE(12, 2) TILE(13, 2) TILE(14, 2)
TILE(1, 1) TILE(2, 1) TILE(4, 1) TILE(6, 1) TILE(8, 1) TILE(10, 1) TILE(12, 1) TILE(14, 1) TILE(16, 1) TILE(20, 1) TILE(24, 1)
TILE(28, 1)
#undef TILE
}

namespace halftone::kernels {
namespace {

struct Tile {
  int pixels;
  SumKernel bytes;
  SumKernel words;
};

// By the number of registers of a panel's columns: tiles, the largest first.
#define TILE(pixels, registers) Tile{pixels, halftone_avx512_vnni_##pixels##x##registers, halftone_avx512_vnni_words_##pixels##x##registers}
constexpr std::array kTilesOf4 = {TILE(7, 4), TILE(6, 4), TILE(5, 4), TILE(4, 4), TILE(3, 4), TILE(2, 4), TILE(1, 4)};
constexpr std::array kTilesOf2 = {TILE(14, 2), TILE(13, 2), TILE(12, 2), TILE(11, 2), TILE(10, 2), TILE(9, 2), TILE(8, 2),
                                  TILE(7, 2),  TILE(6, 2),  TILE(5, 2),  TILE(4, 2),  TILE(3, 2),  TILE(2, 2), TILE(1, 2)};
constexpr std::array kTilesOf1 = {TILE(28, 1), TILE(24, 1), TILE(20, 1), TILE(16, 1), TILE(14, 1), TILE(12, 1),
                                  TILE(10, 1), TILE(8, 1),  TILE(6, 1),  TILE(4, 1),  TILE(2, 1),  TILE(1, 1)};
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

// A bias for each range of taps, in the order of sums.
struct alignas(64) Bias {
  std::array<std::int32_t, 64> sums{};
};

struct alignas(64) Line {
  std::array<std::byte, 64> bytes{};
};

class Vnni : public Linear {
 public:
  Vnni(const LinearWeights& w, const Requantization& r)
      : x_(w.x), y_(w.y), taps_(w.taps), steps_(std::max<std::int64_t>(1, (w.depth * size_of(w.x) + 3) / 4)), ranges_(w.ranges.begin(), w.ranges.end()) {
    for (std::int64_t first = 0; first < w.channels;) {
      const std::int64_t left = w.channels - first;
      const int registers = left <= 16 ? 1 : left <= 32 ? 2 : 4;
      panels_.emplace_back(finish_avx512, w, r, first, static_cast<int>(std::min<std::int64_t>(left, 16 * registers)), registers);
      first_lines_.push_back(weights_.size());
      if (x_ == Stored::words)
        pack<std::int16_t>(panels_.back(), w);
      else
        pack<std::int8_t>(panels_.back(), w);
      add_biases(panels_.back());
      first += panels_.back().count();
    }
  }

  std::int64_t panels() const override { return static_cast<std::int64_t>(panels_.size()); }

  void run(const LinearRun& rows, std::int64_t at) const override {
    const PanelFinish& panel = panels_[static_cast<std::size_t>(at)];
    const TapRange* range = rows.range < 0 ? nullptr : &ranges_[static_cast<std::size_t>(rows.range)];
    const std::int64_t first_tap = range == nullptr ? 0 : range->first;
    alignas(64) std::array<std::int32_t, kMostSums> sums;
    const Line* weights = weights_.data() + first_lines_[static_cast<std::size_t>(at)];
    SumTile tile{.x = rows.x,
                 .pixel = rows.x_pixel,
                 .taps = rows.taps + first_tap,
                 .tap_count = range == nullptr ? taps_ : range->count,
                 .steps = steps_,
                 .weights = weights[first_tap * steps_ * panel.registers()].bytes.data(),
                 .bias = range == nullptr ? panel.bias() : biases_[static_cast<std::size_t>(at) * ranges_.size() + static_cast<std::size_t>(rows.range)].sums.data(),
                 .sums = sums.data()};
    std::uint8_t* y = rows.y + panel.first() * size_of(y_);
    const std::span<const Tile> tiles = tiles_of(panel.registers());
    for (std::int64_t left = rows.pixels; left > 0;) {
      const Tile& each = next_tile(tiles, left);
      (x_ == Stored::words ? each.words : each.bytes)(&tile);
      panel(sums.data(), each.pixels, y, rows.y_pixel);
      tile.x += each.pixels * rows.x_pixel;
      y += each.pixels * rows.y_pixel;
      left -= each.pixels;
    }
  }

 private:
  // Weights [T][K/4][register][column][4], of words [T][K/2][register][column][2].
  template <typename T>
  void pack(const PanelFinish& panel, const LinearWeights& w) {
    constexpr std::int64_t kTogether = 4 / sizeof(T);
    const std::size_t start = weights_.size();
    weights_.resize(start + static_cast<std::size_t>(std::max<std::int64_t>(1, taps_ * steps_ * panel.registers())));
    for (int i = 0; i < 16 * panel.registers(); ++i) {
      if (panel.channel(i) < 0) continue;
      const std::int16_t* row = w.w.data() + panel.channel(i) * taps_ * w.depth;
      for (std::int64_t t = 0; t < taps_; ++t)
        for (std::int64_t k = 0; k < w.depth; ++k) {
          Line& line = weights_[start + static_cast<std::size_t>((t * steps_ + k / kTogether) * panel.registers() + i / 16)];
          const auto value = static_cast<T>(row[t * w.depth + k]);
          std::memcpy(line.bytes.data() + i % 16 * 4 + k % kTogether * sizeof(T), &value, sizeof(T));
        }
    }
  }

  void add_biases(const PanelFinish& panel) {
    for (const TapRange& range : ranges_) {
      Bias& bias = biases_.emplace_back();
      for (int i = 0; i < 16 * panel.registers(); ++i)
        if (panel.channel(i) >= 0) bias.sums[static_cast<std::size_t>(i)] = range.bias[static_cast<std::size_t>(panel.channel(i))];
    }
  }

  Stored x_;
  Stored y_;
  std::int64_t taps_;
  std::int64_t steps_;
  std::vector<TapRange> ranges_;
  std::vector<Bias> biases_;  // by panel, in it by range
  std::vector<PanelFinish> panels_;
  std::vector<std::size_t> first_lines_;
  std::vector<Line> weights_;
};

}  // namespace

std::unique_ptr<Linear> pack_avx512_vnni(const LinearWeights& weights, const Requantization& requantization) {
  return std::make_unique<Vnni>(weights, requantization);
}

}  // namespace halftone::kernels
