// Panels of 64, 32 and 16 channels for the tiles of x86_avx512_vnni_tile.S. Compiled for any machine.
#include <algorithm>
#include <array>
#include <cstring>

#include "halftone/kernels/linear/isa_linears.h"
#include "halftone/kernels/linear/panel_finish.h"
#include "halftone/kernels/linear/sixteenfold.h"

#define TILES_OF_4(form) TILE(form, 6, 4) TILE(form, 5, 4) TILE(form, 4, 4) TILE(form, 3, 4) TILE(form, 2, 4) TILE(form, 1, 4)
#define TILES_OF_2(form)                                                                                                        \
  TILE(form, 14, 2) TILE(form, 13, 2) TILE(form, 12, 2) TILE(form, 11, 2) TILE(form, 10, 2) TILE(form, 9, 2) TILE(form, 8, 2) \
  TILE(form, 7, 2) TILE(form, 6, 2) TILE(form, 5, 2) TILE(form, 4, 2) TILE(form, 3, 2) TILE(form, 2, 2) TILE(form, 1, 2)
#define TILES_OF_1(form)                                                                                                           \
  TILE(form, 28, 1) TILE(form, 24, 1) TILE(form, 20, 1) TILE(form, 16, 1) TILE(form, 14, 1) TILE(form, 12, 1) TILE(form, 10, 1) \
  TILE(form, 8, 1) TILE(form, 6, 1) TILE(form, 4, 1) TILE(form, 2, 1) TILE(form, 1, 1)

extern "C" {
#define TILE(form, pixels, registers) void halftone_avx512_vnni_##form##_##pixels##x##registers(const halftone::kernels::SumTile*);
TILE(bytes, 7, 4) TILES_OF_4(bytes) TILES_OF_2(bytes) TILES_OF_1(bytes)
TILE(words, 7, 4) TILES_OF_4(words) TILES_OF_2(words) TILES_OF_1(words)
TILES_OF_4(nibbles)
#undef TILE
}

namespace halftone::kernels {
namespace {

struct Tile {
  int pixels;
  SumKernel run;
};

// By the form of the weights and the number of registers of a panel's columns: tiles, the largest first.
#define TILE(form, pixels, registers) Tile{pixels, halftone_avx512_vnni_##form##_##pixels##x##registers},
constexpr Tile kBytesOf4[] = {TILE(bytes, 7, 4) TILES_OF_4(bytes)};
constexpr Tile kBytesOf2[] = {TILES_OF_2(bytes)};
constexpr Tile kBytesOf1[] = {TILES_OF_1(bytes)};
constexpr Tile kWordsOf4[] = {TILE(words, 7, 4) TILES_OF_4(words)};
constexpr Tile kWordsOf2[] = {TILES_OF_2(words)};
constexpr Tile kWordsOf1[] = {TILES_OF_1(words)};
constexpr Tile kNibblesOf4[] = {TILES_OF_4(nibbles)};
#undef TILE
constexpr int kMostSums = 28 * 16;

enum class Form { bytes, words, nibbles };

std::span<const Tile> tiles_of(Form form, int registers) {
  if (form == Form::nibbles) return kNibblesOf4;
  if (registers == 4) return form == Form::words ? kWordsOf4 : kBytesOf4;
  if (registers == 2) return form == Form::words ? kWordsOf2 : kBytesOf2;
  return form == Form::words ? kWordsOf1 : kBytesOf1;
}

}  // namespace

HalfUpEnding::HalfUpEnding(std::int32_t zero_point, std::int32_t least, std::int32_t most) {
  std::ranges::fill(half, std::int16_t{0x4000});
  std::ranges::fill(zero, static_cast<std::int16_t>(zero_point));
  std::ranges::fill(lo, static_cast<std::uint8_t>(least));
  std::ranges::fill(hi, static_cast<std::uint8_t>(most));
  for (int i = 0; i < 8; ++i) two_pixels[i] = i % 4 * 2 + i / 4;
  for (int i = 0; i < 16; ++i) four_pixels[i] = i % 4 * 4 + i / 4;
}

namespace {

// Tiles of about one size: the last 10 pixels are 5 and 5, not 7 and 3.
const Tile& next_tile(std::span<const Tile> tiles, std::int64_t left) {
  const std::int64_t most = tiles.front().pixels;
  if (left >= 2 * most) return tiles.front();
  const std::int64_t size = left <= most ? left : (left + 1) / 2;
  return *std::ranges::find_if(tiles, [&](const Tile& tile) { return tile.pixels <= size; });
}

// A bias for each range of taps, in the order of sums.
struct alignas(64) Bias {
  std::array<std::int32_t, 64> sums{};
};

// Weights a column of a line.
constexpr std::int64_t weights_in(Form form) { return form == Form::words ? 2 : form == Form::bytes ? 4 : 8; }

// The weights of 16 columns that a step takes.
struct alignas(64) Line {
  std::array<std::uint32_t, 16> columns{};
};

// A column's weights, `times` as large, or, of nibbles, divided by 16 again.
std::uint32_t column_of(Form form, std::span<const std::int16_t> weights, int times) {
  std::uint32_t bits = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const auto w = static_cast<std::uint32_t>(weights[k]);
    if (form == Form::words) bits |= (w & 0xFFFF) << (16 * k);
    if (form == Form::bytes) bits |= (w * static_cast<std::uint32_t>(times) & 0xFF) << (8 * k);
    if (form == Form::nibbles) bits |= (w & 0xF) << (8 * (k % 4) + 4 * (k / 4));
  }
  return bits;
}

struct Panel {
  PanelFinish finish;
  Form form;
  std::int64_t steps;      // of a tap
  std::size_t first_line;  // of [T][steps][registers]

  std::size_t line(std::int64_t tap, std::int64_t step) const {
    return first_line + static_cast<std::size_t>((tap * steps + step) * finish.registers());
  }
};

constexpr std::int64_t kLeastDepth = 64;  // of nibbles: shorter taps gain little, and are filled up with zeros

Form form_of(const LinearWeights& w, int times, int registers) {
  if (w.x == Stored::words) return Form::words;
  return times == 16 && registers == 4 && w.depth >= kLeastDepth ? Form::nibbles : Form::bytes;
}

// Weights are taken `times` as large: 16, then those of whole panels may be nibbles, or 1.
class Vnni : public Linear {
 public:
  Vnni(const LinearWeights& w, const Requantization& r, int times)
      : y_(w.y), taps_(w.taps), ranges_(w.ranges.begin(), w.ranges.end()), ending_(r.bounds.zero_point, r.bounds.lo, r.bounds.hi) {
    for (std::int64_t first = 0; first < w.channels; first += panels_.back().finish.count()) {
      const std::int64_t left = w.channels - first;
      const int registers = left <= 16 ? 1 : left <= 32 ? 2 : 4;
      const Form form = form_of(w, times, registers);
      const std::int64_t steps = std::max<std::int64_t>(1, (w.depth + weights_in(form) - 1) / weights_in(form));
      PanelFinish finish(finish_avx512, w, r, first, static_cast<int>(std::min<std::int64_t>(left, 16 * registers)), registers);
      panels_.push_back({finish, form, steps, weights_.size()});
      pack(panels_.back(), w, times);
      add_biases(finish);
    }
  }

  std::int64_t panels() const override { return static_cast<std::int64_t>(panels_.size()); }
  int weight_bits() const override { return 32 / static_cast<int>(weights_in(panels_.front().form)); }

  void run(const LinearRun& rows, std::int64_t at) const override {
    const Panel& panel = panels_[static_cast<std::size_t>(at)];
    const TapRange* range = rows.range < 0 ? nullptr : &ranges_[static_cast<std::size_t>(rows.range)];
    const std::int64_t first_tap = range == nullptr ? 0 : range->first;
    alignas(64) std::array<std::int32_t, kMostSums> sums;
    SumTile tile{.x = rows.x,
                 .pixel = rows.x_pixel,
                 .taps = rows.taps + first_tap,
                 .tap_count = range == nullptr ? taps_ : range->count,
                 .steps = panel.steps,
                 .weights = weights_.data() + panel.line(first_tap, 0),
                 .bias = range == nullptr ? panel.finish.bias() : biases_[static_cast<std::size_t>(at) * ranges_.size() + static_cast<std::size_t>(rows.range)].sums.data(),
                 .sums = sums.data(),
                 .columns = panel.finish.half_up_columns(),
                 .y = rows.y + panel.finish.first() * size_of(y_),
                 .y_pixel = rows.y_pixel,
                 .ending = &ending_,
                 .channels = panel.finish.count() == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << panel.finish.count()) - 1,
                 .next = nullptr};
    const std::span<const Tile> tiles = tiles_of(panel.form, panel.finish.registers());
    std::int64_t count = rows.sequence * (rows.pixels / 8 + 1);  // tiles before this run, about
    for (std::int64_t left = rows.pixels; left > 0;) {
      const Tile& each = next_tile(tiles, left);
      tile.next = lines_to_fetch(at, count++);
      each.run(&tile);
      if (tile.columns == nullptr) panel.finish(sums.data(), each.pixels, tile.y, rows.y_pixel);
      tile.x += each.pixels * rows.x_pixel;
      tile.y += each.pixels * rows.y_pixel;
      left -= each.pixels;
    }
  }

 private:
  // A tile fetches a line a step: so many tiles as a panel has registers fetch the next panel.
  const Line* lines_to_fetch(std::int64_t at, std::int64_t tile) const {
    const Panel& next = panels_[static_cast<std::size_t>(at + 1 < panels() ? at + 1 : at)];
    return weights_.data() + next.first_line + (tile & (next.finish.registers() - 1)) * taps_ * next.steps;  // registers: 1, 2 or 4
  }

  void pack(const Panel& panel, const LinearWeights& w, int times) {
    weights_.resize(std::max(panel.line(taps_, 0), panel.first_line + 1));
    const std::int64_t together = weights_in(panel.form);
    for (int i = 0; i < 16 * panel.finish.registers(); ++i) {
      if (panel.finish.channel(i) < 0) continue;
      for (std::int64_t t = 0; t < taps_; ++t) {
        const auto row = w.w.subspan(static_cast<std::size_t>((panel.finish.channel(i) * taps_ + t) * w.depth), static_cast<std::size_t>(w.depth));
        Line* line = weights_.data() + panel.line(t, 0) + i / 16;
        std::size_t k = 0;
        for (; k + static_cast<std::size_t>(together) <= row.size(); k += static_cast<std::size_t>(together), line += panel.finish.registers())
          line->columns[static_cast<std::size_t>(i % 16)] = column_of(panel.form, row.subspan(k, static_cast<std::size_t>(together)), times);
        if (k < row.size()) line->columns[static_cast<std::size_t>(i % 16)] = column_of(panel.form, row.subspan(k), times);
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

  Stored y_;
  std::int64_t taps_;
  std::vector<TapRange> ranges_;
  HalfUpEnding ending_;
  std::vector<Bias> biases_;  // by panel, in it by range
  std::vector<Panel> panels_;
  std::vector<Line> weights_;
};

}  // namespace

std::unique_ptr<Linear> pack_avx512_vnni(const LinearWeights& weights, const Requantization& requantization) {
  if (form_of(weights, 16, 4) != Form::nibbles || !can_be_sixteenfold(weights, requantization)) return std::make_unique<Vnni>(weights, requantization, 1);
  const Sixteenfold sixteenfold(weights, requantization);
  return std::make_unique<Vnni>(sixteenfold.weights(), sixteenfold.requantization(), 16);
}

}  // namespace halftone::kernels
