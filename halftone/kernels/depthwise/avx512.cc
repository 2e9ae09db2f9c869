// Panels of 64 lanes: channels of one pixel, or, of what is left of the layer, 32 or 16 channels of two or four pixels. Compiled for
// any machine.
#include <algorithm>
#include <array>
#include <cstring>

#include "halftone/kernels/depthwise/depthwise_sums.h"
#include "halftone/kernels/linear/panel_finish.h"

namespace halftone::kernels {
namespace {

constexpr std::int64_t kLanes = 64;
constexpr std::int64_t kWindow = 9;         // taps of a window of 3x3
constexpr std::int64_t kMostRegisters = 8;  // of lanes, whose sums wait in the first cache

struct alignas(64) Line {
  std::array<std::int8_t, kLanes> bytes{};
};

// Most numbers of channels are multiples of 16, and not worth a call.
void copy(const std::uint8_t* from, std::uint8_t* to, std::size_t count) {
  if (count % 16 != 0) {
    std::memcpy(to, from, count);
    return;
  }
  for (std::size_t i = 0; i < count; i += 16) std::memcpy(to + i, from + i, 16);
}

int pixels_a_register(std::int64_t channels) { return channels > 32 ? 1 : channels > 16 ? 2 : 4; }

// Channels [first, first + count) of a layer, once for each pixel of a register: those that are not there yield 0.
struct Repeated {
  Repeated(const LinearWeights& all, const Requantization& r, std::int64_t first, std::int64_t count) : requantization(r) {
    requantization.m.clear();
    requantization.shift.clear();
    requantization.M.clear();
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const std::int64_t in_panel = lane % (kLanes / pixels_a_register(count));
      const bool is_there = in_panel < count;
      const auto c = static_cast<std::size_t>(first + in_panel);
      bias.push_back(is_there ? all.bias[c] : 0);
      bound.push_back(is_there ? all.bound[c] : 0);
      for (std::int64_t t = 0; t < all.taps; ++t) w.push_back(is_there ? all.w[c * static_cast<std::size_t>(all.taps) + static_cast<std::size_t>(t)] : std::int16_t{0});
      if (r.is_float()) requantization.M.push_back(is_there ? r.M[c] : 0.0F);
      if (r.is_float()) continue;
      requantization.m.push_back(is_there ? r.m[c] : 0);
      requantization.shift.push_back(is_there ? r.shift[c] : 33);
    }
  }
  LinearWeights weights(std::int64_t taps) const { return {kLanes, taps, 1, w, bias, bound}; }

  std::vector<std::int16_t> w;
  std::vector<std::int32_t> bias;
  std::vector<std::int64_t> bound;
  Requantization requantization;
};

class Avx512 : public Linear {
 public:
  Avx512(const LinearWeights& w, const Requantization& r) : channels_(w.channels), taps_(w.taps), quads_((w.taps + 3) / 4) {
    for (std::int64_t panel = 0; panel < panels(); ++panel) {
      const Repeated lanes(w, r, panel * kLanes, count_of(panel));
      const LinearWeights weights = lanes.weights(taps_);
      finishes_.emplace_back(finish_avx512, weights, lanes.requantization, 0, kLanes, 4);
      const auto weight = [&](int i, std::int64_t t) { return weights.w[static_cast<std::size_t>(finishes_.back().channel(i) * taps_ + t)]; };
      const std::size_t quads = add_lines(quads_of_, 4 * quads_);
      const std::size_t rows = add_lines(rows_of_, taps_ == kWindow ? kLinesOfRows : 0);
      for (int i = 0; i < kLanes; ++i)
        for (std::int64_t t = 0; t < taps_; ++t) {
          const auto place = static_cast<std::size_t>(i % 16 * 4);
          quads_of_[quads + static_cast<std::size_t>(t / 4 * 4 + i / 16)].bytes[place + static_cast<std::size_t>(t % 4)] = static_cast<std::int8_t>(weight(i, t));
          if (taps_ != kWindow) continue;
          Line* even = &rows_of_[rows + static_cast<std::size_t>(t / 3 * 8 + i / 16)];
          even[0].bytes[place + static_cast<std::size_t>(t % 3)] = static_cast<std::int8_t>(weight(i, t));
          even[4].bytes[place + static_cast<std::size_t>(t % 3) + 1] = static_cast<std::int8_t>(weight(i, t));
        }
    }
  }
  std::int64_t panels() const override { return (channels_ + kLanes - 1) / kLanes; }

  void run(const LinearRun& rows, std::int64_t panel) const override {
    LinearRun some = rows;
    some.x += panel * kLanes;
    some.y += panel * kLanes;
    const int each = pixels_a_register(count_of(panel));
    while (some.pixels > 0) {
      const std::int64_t pairs = overlap_by_columns(rows) ? std::min(some.pixels / (2 * each), kMostRegisters / 2) : 0;
      const std::int64_t registers = std::min(some.pixels / each, kMostRegisters);
      const std::int64_t pixels = pairs > 0 ? run_rows(some, panel, pairs, each) : run_quads(some, panel, registers > 0 ? registers : 1, registers > 0 ? each : 1);
      some.x += pixels * rows.x_pixel;
      some.y += pixels * rows.y_pixel;
      some.pixels -= pixels;
    }
  }

 private:
  static constexpr std::int64_t kLinesOfRows = 3 * 2 * 4;
  using Sums = std::array<std::int32_t, kMostRegisters * kLanes>;

  std::int64_t count_of(std::int64_t panel) const { return std::min(kLanes, channels_ - panel * kLanes); }

  static std::size_t add_lines(std::vector<Line>& lines, std::int64_t count) {
    lines.resize(lines.size() + static_cast<std::size_t>(count));
    return lines.size() - static_cast<std::size_t>(count);
  }

  // Whether taps are those of a window of 3x3 whose columns are the pixels of the run.
  bool overlap_by_columns(const LinearRun& rows) const {
    for (std::int64_t t = 0; t < taps_; ++t)
      if (taps_ != kWindow || rows.taps[t] != rows.taps[t - t % 3] + t % 3 * rows.x_pixel) return false;
    return true;
  }

  // Both return how many pixels that were.
  std::int64_t run_rows(const LinearRun& rows, std::int64_t panel, std::int64_t pairs, int each) const {
    alignas(64) Sums sums;
    const std::int64_t pixels = 2 * each * pairs;
    sum_depthwise_rows_avx512({.rows = {rows.x + rows.taps[0], rows.x + rows.taps[3], rows.x + rows.taps[6]},
                               .x_pixel = rows.x_pixel,
                               .weights = rows_of_[static_cast<std::size_t>(kLinesOfRows * panel)].bytes.data(),
                               .bias = finishes_[static_cast<std::size_t>(panel)].bias(),
                               .sums = sums.data(),
                               .channels = static_cast<int>(count_of(panel)),
                               .pixels_a_register = each,
                               .pixels = static_cast<int>(pixels)});
    finish(sums, rows, panel, 2 * pairs, each, 2);
    return pixels;
  }

  std::int64_t run_quads(const LinearRun& rows, std::int64_t panel, std::int64_t registers, int each) const {
    alignas(64) Sums sums;
    std::array<std::ptrdiff_t, kMostDepthwiseTaps> taps;
    std::copy_n(rows.taps, taps_, taps.begin());
    std::fill(taps.begin() + taps_, taps.begin() + 4 * quads_, rows.taps[0]);  // of weights that are 0
    const std::int64_t pixels = registers * each;
    sum_depthwise_avx512({.x = rows.x,
                          .x_pixel = rows.x_pixel,
                          .taps = taps.data(),
                          .quads = quads_,
                          .weights = quads_of_[static_cast<std::size_t>(4 * quads_ * panel)].bytes.data(),
                          .bias = finishes_[static_cast<std::size_t>(panel)].bias(),
                          .sums = sums.data(),
                          .channels = static_cast<int>(count_of(panel)),
                          .pixels_a_register = each,
                          .pixels = static_cast<int>(pixels)});
    finish(sums, rows, panel, registers, each, 1);
    return pixels;
  }

  // Pixel i of register r is number r / turns · turns · each + i · turns + r % turns.
  void finish(const Sums& sums, const LinearRun& rows, std::int64_t panel, std::int64_t registers, int each, int turns) const {
    const PanelFinish& end = finishes_[static_cast<std::size_t>(panel)];
    const auto count = static_cast<std::size_t>(count_of(panel));
    if (count == kLanes) return end(sums.data(), static_cast<int>(registers), rows.y, rows.y_pixel);
    alignas(64) std::array<std::uint8_t, kMostRegisters * kLanes> bytes;
    end(sums.data(), static_cast<int>(registers), bytes.data(), kLanes);
    for (std::int64_t r = 0; r < registers; ++r)
      for (int i = 0; i < each; ++i)
        copy(bytes.data() + r * kLanes + i * (kLanes / each), rows.y + (r / turns * turns * each + i * turns + r % turns) * rows.y_pixel, count);
  }

  std::int64_t channels_;
  std::int64_t taps_;
  std::int64_t quads_;
  std::vector<PanelFinish> finishes_;  // by panel
  std::vector<Line> quads_of_;
  std::vector<Line> rows_of_;          // of windows of 3x3
};

}  // namespace

std::unique_ptr<Linear> pack_depthwise_avx512(const LinearWeights& weights, const Requantization& requantization) {
  return std::make_unique<Avx512>(weights, requantization);
}

}  // namespace halftone::kernels
