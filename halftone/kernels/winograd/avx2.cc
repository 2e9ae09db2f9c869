// Panels of 64 channels in parts of 16: 16 products of matrices, [tiles][K] by [K][16], on the tiles of linear/x86_avx2_tile.S.
// Compiled for any machine.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "halftone/kernels/linear/panel_finish.h"
#include "halftone/kernels/linear/wide_tile.h"
#include "halftone/kernels/winograd/transforms.h"

extern "C" {
#define TILE(tiles) void halftone_avx2_words_##tiles##x2(const halftone::kernels::WideTile*);
TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
#undef TILE
}

namespace halftone::kernels {
namespace {

constexpr std::array<WideKernel, 6> kTiles = {halftone_avx2_words_1x2, halftone_avx2_words_2x2, halftone_avx2_words_3x2,
                                              halftone_avx2_words_4x2, halftone_avx2_words_5x2, halftone_avx2_words_6x2};
constexpr std::int64_t kParts = 4;     // of a panel
constexpr std::int64_t kColumns = 16;  // of a part
constexpr std::int64_t kPlaces = 16;   // of a tile
constexpr std::int64_t kMostTiles = 28;
constexpr std::int64_t kMostInputs = 3072;  // of a place: tiles by depth

// 4·G w Gᵀ of one window, G = (1 0 0; ½ ½ ½; ½ −½ ½; 0 0 1).
std::array<std::int16_t, kPlaces> transformed(const std::array<std::int32_t, 9>& w) {
  const auto along = [](std::int32_t a, std::int32_t b, std::int32_t c) { return std::array<std::int32_t, 4>{2 * a, a + b + c, a - b + c, 2 * c}; };
  std::array<std::array<std::int32_t, 4>, 3> columns;  // of Gw
  for (std::size_t j = 0; j < 3; ++j) columns[j] = along(w[j], w[3 + j], w[6 + j]);
  std::array<std::int16_t, kPlaces> u;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::array<std::int32_t, 4> row = along(columns[0][i], columns[1][i], columns[2][i]);
    for (std::size_t j = 0; j < 4; ++j) u[4 * i + j] = static_cast<std::int16_t>(row[j]);
  }
  return u;
}

// As many tiles as fit, in pieces of about one size.
std::int64_t tiles_together(std::int64_t tiles, std::int64_t depth) {
  const std::int64_t most = std::clamp<std::int64_t>(kMostInputs / depth, 1, kMostTiles);
  const std::int64_t pieces = (tiles + most - 1) / most;
  return (tiles + pieces - 1) / pieces;
}

class Avx2 : public Winograd {
 public:
  Avx2(const LinearWeights& w, const Requantization& r) : depth_(w.taps * w.depth / 9) {
    for (std::int64_t first = 0; first < w.channels; first += kColumns) {
      parts_.emplace_back(finish_avx2, w, r, first, static_cast<int>(std::min(kColumns, w.channels - first)), 1);
      pack(parts_.back(), w);
    }
  }

  std::int64_t panels() const override { return (static_cast<std::int64_t>(parts_.size()) + kParts - 1) / kParts; }

  void run(const WinogradRun& rows, std::int64_t panel) const override {
    const std::int64_t tiles = (rows.pixels + 1) / 2;
    const std::int64_t each = tiles_together(tiles, depth_);
    Scratch scratch;  // left as it is
    for (std::int64_t first = 0; first < tiles; first += each) {
      InputTiles input{.rows = {}, .x_pixel = rows.x_pixel, .columns = rows.pixels + 2 - 2 * first, .tiles = std::min(each, tiles - first), .depth = depth_, .v = scratch.v.data()};
      for (std::int64_t i = 0; i < 4; ++i) input.rows[i] = rows.x + std::min(i, rows.rows + 1) * rows.x_row + 2 * first * rows.x_pixel;
      transform_input_avx2(input);
      const std::int64_t last = std::min(static_cast<std::int64_t>(parts_.size()), (panel + 1) * kParts);
      for (std::int64_t part = panel * kParts; part < last; ++part) run_part(rows, part, first, input.tiles, scratch);
    }
  }

 private:
  struct Scratch {
    alignas(64) std::array<std::int16_t, static_cast<std::size_t>(kPlaces * kMostInputs)> v;
    alignas(64) std::array<std::int32_t, static_cast<std::size_t>(kPlaces * kMostTiles * kColumns)> products;
    alignas(64) std::array<std::array<std::int32_t, static_cast<std::size_t>(2 * kMostTiles * kColumns)>, 2> sums;
  };

  void run_part(const WinogradRun& rows, std::int64_t at, std::int64_t first, std::int64_t tiles, Scratch& scratch) const {
    alignas(64) static constexpr std::array<std::int32_t, kColumns> kNoBias{};
    static constexpr std::ptrdiff_t kOneTap = 0;
    const PanelFinish& part = parts_[static_cast<std::size_t>(at)];
    const std::int16_t* x = scratch.v.data();
    WideTile tile{.pixel = 2 * depth_, .taps = &kOneTap, .tap_count = 1, .steps = depth_ / 4, .bias = kNoBias.data(), .sums = scratch.products.data()};
    const std::int16_t* weights = weights_.data() + at * kPlaces * depth_ * kColumns;
    for (std::int64_t place = 0; place < kPlaces; ++place, weights += depth_ * kColumns) {
      tile.weights = weights;
      for (std::int64_t done = 0; done < tiles;) {
        const std::int64_t pieces = (tiles - done + 5) / 6;
        const std::int64_t count = (tiles - done + pieces - 1) / pieces;
        tile.x = x;
        kTiles[static_cast<std::size_t>(count - 1)](&tile);
        x += count * depth_;
        tile.sums += count * kColumns;
        done += count;
      }
    }
    transform_output_avx2({.products = scratch.products.data(), .tiles = tiles, .bias = part.bias(), .rows = {scratch.sums[0].data(), scratch.sums[1].data()}});
    const std::int64_t pixels = std::min(2 * tiles, rows.pixels - 2 * first);
    for (std::int64_t r = 0; r < rows.rows; ++r)
      part(scratch.sums[static_cast<std::size_t>(r)].data(), static_cast<int>(pixels), rows.y + r * rows.y_row + 2 * first * rows.y_pixel + part.first(), rows.y_pixel);
  }

  // Weights [part][place][K/2][16][2].
  void pack(const PanelFinish& part, const LinearWeights& w) {
    const std::size_t start = weights_.size();
    weights_.resize(start + static_cast<std::size_t>(kPlaces * depth_ * kColumns));
    for (std::int64_t c = 0; c < part.count(); ++c) {
      const std::int16_t* row = w.w.data() + (part.first() + c) * 9 * depth_;
      for (std::int64_t k = 0; k < depth_; ++k) {
        std::array<std::int32_t, 9> window;
        for (std::int64_t t = 0; t < 9; ++t) window[static_cast<std::size_t>(t)] = row[t * depth_ + k];
        const std::array<std::int16_t, kPlaces> u = transformed(window);
        std::int16_t* to = weights_.data() + start + (k & ~std::int64_t{1}) * kColumns + 2 * c + (k & 1);
        for (std::int64_t place = 0; place < kPlaces; ++place) to[place * depth_ * kColumns] = u[static_cast<std::size_t>(place)];
      }
    }
  }

  std::int64_t depth_;
  std::vector<PanelFinish> parts_;
  std::vector<std::int16_t> weights_;
};

// Four times a sum without its bias fits 32 bits.
bool fits(const LinearWeights& weights) {
  constexpr std::int64_t kMost = std::int64_t{1} << 29;
  const std::int64_t row = weights.taps * weights.depth;
  for (std::int64_t m = 0; m < weights.channels; ++m) {
    const std::int16_t* w = weights.w.data() + m * row;
    std::int32_t sum = 0;  // of fewer than 2^24 weights, by what is asked before
    for (std::int64_t k = 0; k < row; ++k) sum += std::abs(w[k]);
    if (255 * std::int64_t{sum} >= kMost) return false;
  }
  return true;
}

}  // namespace

std::unique_ptr<Winograd> pack_winograd_avx2(const LinearWeights& weights, const Requantization& requantization) {
  constexpr std::int64_t kMostWeights = 256 * 256 * 9;  // 3.6 times as many bytes then leave the caches
  const std::int64_t row = weights.taps * weights.depth;
  if (row % (9 * 16) != 0 || row / 9 > kMostInputs || row * weights.channels > kMostWeights || !fits(weights)) return nullptr;
  return std::make_unique<Avx2>(weights, requantization);
}

}  // namespace halftone::kernels
