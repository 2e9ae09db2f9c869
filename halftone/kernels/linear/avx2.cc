// Panels of 64 channels, in parts of 16 and 8 for the tiles of x86_avx2_tile.S. Bytes are widened to 16 bits, some pixels at a time,
// for all of a panel's channels; words are read where they stand, and so are bytes by weights of 4 bits. Compiled for any machine.
#include <algorithm>
#include <array>
#include <cstring>

#include "halftone/kernels/linear/isa_linears.h"
#include "halftone/kernels/linear/panel_finish.h"
#include "halftone/kernels/linear/wide_tile.h"

#define TILES_OF_2(form) TILE(form, 1, 2) TILE(form, 2, 2) TILE(form, 3, 2) TILE(form, 4, 2) TILE(form, 5, 2) TILE(form, 6, 2)
#define TILES_OF_1(form)                                                                                            \
  TILE(form, 1, 1) TILE(form, 2, 1) TILE(form, 3, 1) TILE(form, 4, 1) TILE(form, 5, 1) TILE(form, 6, 1) \
  TILE(form, 7, 1) TILE(form, 8, 1) TILE(form, 9, 1) TILE(form, 10, 1) TILE(form, 11, 1) TILE(form, 12, 1)
#define TILES_OF_NIBBLES TILE(nibbles, 1, 2) TILE(nibbles, 2, 2) TILE(nibbles, 3, 2) TILE(nibbles, 4, 2) TILE(nibbles, 5, 2)

extern "C" {
#define TILE(form, pixels, registers) void halftone_avx2_##form##_##pixels##x##registers(const halftone::kernels::WideTile*);
TILES_OF_2(bytes) TILES_OF_1(bytes) TILES_OF_2(words) TILES_OF_1(words) TILES_OF_NIBBLES
#undef TILE
}

namespace halftone::kernels {
namespace {

// By the form of the weights and the registers of a pixel's sums; in each, by the number of pixels less one.
#define TILE(form, pixels, registers) halftone_avx2_##form##_##pixels##x##registers,
constexpr WideKernel kBytesOf2[] = {TILES_OF_2(bytes)};
constexpr WideKernel kBytesOf1[] = {TILES_OF_1(bytes)};
constexpr WideKernel kWordsOf2[] = {TILES_OF_2(words)};
constexpr WideKernel kWordsOf1[] = {TILES_OF_1(words)};
constexpr WideKernel kNibblesOf2[] = {TILES_OF_NIBBLES};
#undef TILE

enum class Form { bytes, words, nibbles };

// Bits of a weight.
constexpr int bits_of(Form form) { return form == Form::words ? 16 : form == Form::bytes ? 8 : 4; }

std::span<const WideKernel> tiles_of(Form form, int columns) {
  if (form == Form::nibbles) return kNibblesOf2;
  if (columns == 8) return form == Form::words ? kWordsOf1 : kBytesOf1;
  return form == Form::words ? kWordsOf2 : kBytesOf2;
}

Form form_of(const LinearWeights& w) {
  if (w.x == Stored::words) return Form::words;
  return std::ranges::all_of(w.w, [](int each) { return each >= -8 && each <= 7; }) ? Form::nibbles : Form::bytes;
}

constexpr std::int64_t kParts = 4;                         // of a panel
constexpr std::int64_t kColumns = 16;                      // of a part's sums
constexpr std::int64_t kMostTaps = 128;
constexpr std::int64_t kMostPixels = 48;                   // widened together
constexpr std::int64_t kWidened = std::int64_t{32} << 10;  // elements of them
constexpr std::int64_t kFewPixels = 12;                    // where not all elements of more fit, and of those so many
constexpr std::int64_t kFewElements = 2048;                // of a tap at a time

// Tiles of about one size: 7 pixels are 4 and 3, not 6 and 1.
std::int64_t tile_size(std::int64_t most, std::int64_t left) {
  const std::int64_t count = (left + most - 1) / most;
  return (left + count - 1) / count;
}

// Up to 16 channels of a layer.
struct Part {
  PanelFinish finish;
  int columns;                       // 8 or 16
  std::span<const WideKernel> tiles;
  std::int64_t first_weight;         // place of the weights: wide_tile.h
  std::int64_t step;                 // bytes of a step's
  std::vector<std::int32_t> biases;  // of ranges: [range][16]

  const std::int32_t* bias(std::int64_t range) const { return range < 0 ? finish.bias() : biases.data() + range * kColumns; }
};

// Elements [k, k + depth) of taps [first, first + taps) of some pixels, widened. Pitches in elements.
struct Piece {
  std::int64_t first = 0;
  std::int64_t taps = 1;
  std::int64_t k = 0;
  std::int64_t depth = 0;  // whole steps
  std::int64_t pixels = 1;
  std::ptrdiff_t x_pixel = 0;

  // Pixels that lie apart are put side by side; others share what they read.
  bool are_apart() const { return x_pixel >= depth || pixels == 1; }
  std::ptrdiff_t pixel_pitch() const { return are_apart() ? depth : x_pixel; }
  std::ptrdiff_t tap_pitch() const { return (pixels - 1) * pixel_pitch() + depth; }
  bool fits() const { return taps * tap_pitch() <= kWidened; }

  void widen(const std::uint8_t* x, const std::ptrdiff_t* offsets, std::int16_t* to) const {
    const std::int64_t together = pixel_pitch() == x_pixel ? pixels : 1;
    const std::int64_t count = (together - 1) * x_pixel + depth;
    for (std::int64_t t = 0; t < taps; ++t)
      for (std::int64_t p = 0; p < pixels; p += together)
        widen_avx2(x + p * x_pixel + offsets[first + t] + k, to + t * tap_pitch() + p * pixel_pitch(), count);
  }
};

class Avx2 : public Linear {
 public:
  Avx2(const LinearWeights& w, const Requantization& r)
      : form_(form_of(w)), y_(w.y), taps_(w.taps), steps_(std::max<std::int64_t>(1, (w.depth + 3) / 4)), ranges_(w.ranges.begin(), w.ranges.end()) {
    for (std::int64_t first = 0; first < w.channels; first += kColumns) {
      const auto count = static_cast<int>(std::min(kColumns, w.channels - first));
      const int columns = count <= 8 && form_ != Form::nibbles ? 8 : 16;
      parts_.push_back({PanelFinish(finish_avx2, w, r, first, count, 1), columns, tiles_of(form_, columns), static_cast<std::int64_t>(weights_.size()), columns * bits_of(form_) / 2, {}});
      pack(parts_.back(), w);
    }
  }

  std::int64_t panels() const override { return (static_cast<std::int64_t>(parts_.size()) + kParts - 1) / kParts; }
  int weight_bits() const override { return bits_of(form_); }

  void run(const LinearRun& rows, std::int64_t panel) const override {
    Block block{.panel = panel, .range = rows.range, .x = rows.x, .taps = rows.taps, .y = rows.y, .y_pixel = rows.y_pixel};
    block.whole = {.taps = taps_, .depth = 4 * steps_, .x_pixel = rows.x_pixel};
    if (rows.range >= 0) {
      block.whole.first = ranges_[static_cast<std::size_t>(rows.range)].first;
      block.whole.taps = ranges_[static_cast<std::size_t>(rows.range)].count;
    }
    const std::int64_t most = form_ == Form::bytes ? pixels_together(block.whole, rows.pixels) : rows.pixels;
    Scratch scratch;  // left as it is: clearing it would take longer than a small layer
    for (std::int64_t left = rows.pixels; left > 0; left -= block.whole.pixels) {
      block.whole.pixels = std::min(most, left);
      run_block(block, scratch);
      block.x += block.whole.pixels * rows.x_pixel;
      block.y += block.whole.pixels * rows.y_pixel;
    }
  }

 private:
  // Some pixels of a run.
  struct Block {
    std::int64_t panel = 0;
    std::int64_t range = -1;
    const std::uint8_t* x = nullptr;
    const std::ptrdiff_t* taps = nullptr;
    std::uint8_t* y = nullptr;
    std::ptrdiff_t y_pixel = 0;
    Piece whole = {};
  };
  // Where tiles read: at the first pixel; the others and taps lie so many bytes from it.
  struct Inputs {
    const std::uint8_t* first;
    std::ptrdiff_t pixel;
    const std::ptrdiff_t* taps;
  };
  struct Scratch {
    alignas(64) std::array<std::int32_t, static_cast<std::size_t>(kParts * kFewPixels * kColumns)> sums;
    alignas(64) std::array<std::int16_t, static_cast<std::size_t>(kWidened)> widened;
  };

  // As many as fit, whole tiles; few where their taps have to be taken in pieces.
  static std::int64_t pixels_together(Piece piece, std::int64_t pixels) {
    for (std::int64_t count : {std::min(kMostPixels, pixels), std::int64_t{24}, kFewPixels, kFewPixels / 2, std::int64_t{1}}) {
      piece.pixels = std::min(count, pixels);
      if (piece.fits()) return count > 1 || pixels == 1 ? piece.pixels : std::min(kFewPixels, pixels);
    }
    return std::min(kFewPixels, pixels);
  }

  void run_block(const Block& block, Scratch& scratch) const {
    if (form_ != Form::bytes || block.whole.fits()) return add_piece(block, scratch, block.whole, true, true);
    Piece piece = block.whole;
    piece.taps = 1;
    const std::int64_t end = block.whole.first + block.whole.taps;
    for (; piece.first < end; ++piece.first)
      for (piece.k = 0; piece.k < block.whole.depth; piece.k += kFewElements) {
        piece.depth = std::min(kFewElements, block.whole.depth - piece.k);
        add_piece(block, scratch, piece, piece.first == block.whole.first && piece.k == 0, piece.first + 1 == end && piece.k + piece.depth == block.whole.depth);
      }
  }

  void add_piece(const Block& block, Scratch& scratch, const Piece& piece, bool is_first, bool is_last) const {
    if (form_ != Form::bytes) return run_tiles(block, scratch, piece, {block.x, piece.x_pixel, block.taps + piece.first}, is_first, is_last);
    piece.widen(block.x, block.taps, scratch.widened.data());
    std::array<std::ptrdiff_t, kMostTaps> taps;
    for (std::int64_t t = 0; t < piece.taps; ++t) taps[static_cast<std::size_t>(t)] = 2 * t * piece.tap_pitch();
    run_tiles(block, scratch, piece, {reinterpret_cast<const std::uint8_t*>(scratch.widened.data()), 2 * piece.pixel_pitch(), taps.data()}, is_first, is_last);
  }

  // Sums of the first piece begin with the bias, those of others with what is there; those of the last are finished.
  void run_tiles(const Block& block, Scratch& scratch, const Piece& piece, const Inputs& x, bool is_first, bool is_last) const {
    WideTile tile{.pixel = x.pixel, .taps = x.taps, .tap_count = piece.taps, .steps = piece.depth / 4};
    const std::int64_t last = std::min(static_cast<std::int64_t>(parts_.size()), (block.panel + 1) * kParts);
    for (std::int64_t at = block.panel * kParts; at < last; ++at) {
      const Part& part = parts_[static_cast<std::size_t>(at)];
      tile.weights = weights_.data() + part.first_weight + (piece.first * steps_ + piece.k / 4) * part.step;
      for (std::int64_t p = 0; p < piece.pixels;) {
        const std::int64_t count = tile_size(static_cast<std::int64_t>(part.tiles.size()), piece.pixels - p);
        tile.x = x.first + p * x.pixel;
        tile.sums = scratch.sums.data() + (is_first && is_last ? 0 : ((at % kParts) * kFewPixels + p) * kColumns);
        tile.bias = is_first ? part.bias(block.range) : tile.sums;
        tile.bias_row = is_first ? 0 : kColumns * 4;
        part.tiles[static_cast<std::size_t>(count - 1)](&tile);
        if (is_last) part.finish(tile.sums, static_cast<int>(count), block.y + p * block.y_pixel + part.finish.first() * size_of(y_), block.y_pixel);
        p += count;
      }
    }
  }

  // The weight k of column c in a step's.
  void set(std::uint8_t* step, int columns, std::int64_t c, std::int64_t k, std::int16_t w) const {
    const std::int64_t place = k / 2 * 2 * columns + 2 * c + k % 2;
    if (form_ == Form::bytes) step[place] = static_cast<std::uint8_t>(w);
    if (form_ == Form::words) std::memcpy(step + 2 * place, &w, sizeof(w));
    if (form_ == Form::nibbles) step[c % 8 * 4 + k] ^= static_cast<std::uint8_t>((w & 15) << (c / 8 * 4));
  }

  void pack(Part& part, const LinearWeights& w) {
    weights_.resize(static_cast<std::size_t>(part.first_weight + taps_ * steps_ * part.step), form_ == Form::nibbles ? 0x88 : 0);
    std::uint8_t* to = weights_.data() + part.first_weight;
    for (std::int64_t c = 0; c < part.finish.count(); ++c)
      for (std::int64_t t = 0; t < taps_; ++t) {
        const std::int16_t* row = w.w.data() + ((part.finish.first() + c) * taps_ + t) * w.depth;
        for (std::int64_t k = 0; k < w.depth; ++k) set(to + (t * steps_ + k / 4) * part.step, part.columns, c, k % 4, row[k]);
      }
    for (const TapRange& range : ranges_)
      for (std::int64_t c = 0; c < kColumns; ++c)
        part.biases.push_back(c < part.finish.count() ? range.bias[static_cast<std::size_t>(part.finish.first() + c)] : 0);
  }

  Form form_;
  Stored y_;
  std::int64_t taps_;
  std::int64_t steps_;
  std::vector<TapRange> ranges_;
  std::vector<Part> parts_;
  std::vector<std::uint8_t> weights_;
};

}  // namespace

std::unique_ptr<Linear> pack_avx2(const LinearWeights& weights, const Requantization& requantization) {
  if (weights.taps > kMostTaps) return pack_generic(weights, requantization);
  return std::make_unique<Avx2>(weights, requantization);
}

}  // namespace halftone::kernels
