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
constexpr std::int64_t kMostRegisters = 16; // of lanes, whose sums wait in the first cache

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
      const std::size_t quads = add_lines(quads_of_, 4 * quads_);
      const std::size_t rows = add_lines(rows_of_, taps_ == kWindow ? 2 * kLinesOfRows : 0);
      for (int i = 0; i < kLanes; ++i)
        for (std::int64_t t = 0; t < taps_; ++t) {
          const auto place = static_cast<std::size_t>(i % 16 * 4);
          const auto weight = static_cast<std::int8_t>(weights.w[static_cast<std::size_t>(finishes_.back().channel(i) * taps_ + t)]);
          quads_of_[quads + static_cast<std::size_t>(t / 4 * 4 + i / 16)].bytes[place + static_cast<std::size_t>(t % 4)] = weight;
          if (taps_ == kWindow) set_row(rows + static_cast<std::size_t>(i / 16), place, t / 3, t % 3, weight);
        }
    }
  }
  std::int64_t panels() const override { return (channels_ + kLanes - 1) / kLanes; }

  void run(const LinearRun& rows, std::int64_t panel) const override {
    const int stride = stride_of(rows);
    const int each = pixels_a_register(count_of(panel));
    const std::int64_t wanted = stride > 0 ? 2 * each : each;
    const std::int64_t together = rows.pixels < wanted ? 1 : wanted;
    for (std::int64_t done = 0; done < rows.pixels;) {
      const std::int64_t first = std::min(done, rows.pixels - together);  // the last ones are taken with some before them, once more
      LinearRun some = rows;
      some.x += first * rows.x_pixel + panel * kLanes;
      some.y += first * rows.y_pixel + panel * kLanes;
      some.pixels = std::min((rows.pixels - first) / together * together, kMostRegisters * each);
      if (stride > 0 && together > 1)
        run_rows(some, panel, stride, each);
      else
        run_quads(some, panel, together > 1 ? each : 1);
      done = first + some.pixels;
    }
  }

 private:
  static constexpr std::int64_t kLinesOfRows = 3 * 2 * 4 + 4;  // for each of the two strides
  using Sums = std::array<std::int32_t, kMostRegisters * kLanes>;

  std::int64_t count_of(std::int64_t panel) const { return std::min(kLanes, channels_ - panel * kLanes); }

  static std::size_t add_lines(std::vector<Line>& lines, std::int64_t count) {
    lines.resize(lines.size() + static_cast<std::size_t>(count));
    return lines.size() - static_cast<std::size_t>(count);
  }

  // The weight of a row and column of the window in the lines that begin at `line`, for both strides.
  void set_row(std::size_t line, std::size_t place, std::int64_t row, std::int64_t column, std::int8_t w) {
    for (std::int64_t stride : {1, 2}) {
      Line* lines = &rows_of_[line + static_cast<std::size_t>((stride - 1) * kLinesOfRows)];
      lines[8 * row].bytes[place + static_cast<std::size_t>(column)] = w;
      if (column + stride < 4)
        lines[8 * row + 4].bytes[place + static_cast<std::size_t>(column + stride)] = w;
      else
        lines[24].bytes[place + static_cast<std::size_t>(row)] = w;
    }
  }

  // How many columns of its window of 3x3 a run's next pixel lies on, where that is 1 or 2, else 0.
  int stride_of(const LinearRun& rows) const {
    if (taps_ != kWindow) return 0;
    const std::ptrdiff_t column = rows.taps[1] - rows.taps[0];
    for (std::int64_t t = 0; t < kWindow; ++t)
      if (rows.taps[t] != rows.taps[t - t % 3] + t % 3 * column) return 0;
    return rows.x_pixel == column ? 1 : rows.x_pixel == 2 * column ? 2 : 0;
  }

  void run_rows(const LinearRun& rows, std::int64_t panel, int stride, int each) const {
    alignas(64) Sums sums;
    sum_depthwise_rows_avx512({.rows = {rows.x + rows.taps[0], rows.x + rows.taps[3], rows.x + rows.taps[6]},
                               .x_column = rows.x_pixel / stride,
                               .stride = stride,
                               .weights = rows_of_[static_cast<std::size_t>(kLinesOfRows * (2 * panel + stride - 1))].bytes.data(),
                               .bias = finishes_[static_cast<std::size_t>(panel)].bias(),
                               .sums = sums.data(),
                               .channels = static_cast<int>(count_of(panel)),
                               .pixels_a_register = each,
                               .pixels = static_cast<int>(rows.pixels)});
    finish(sums, rows, panel, each, 2);
  }

  void run_quads(const LinearRun& rows, std::int64_t panel, int each) const {
    alignas(64) Sums sums;
    std::array<std::ptrdiff_t, kMostDepthwiseTaps> taps;
    std::copy_n(rows.taps, taps_, taps.begin());
    std::fill(taps.begin() + taps_, taps.begin() + 4 * quads_, rows.taps[0]);  // of weights that are 0
    sum_depthwise_avx512({.x = rows.x,
                          .x_pixel = rows.x_pixel,
                          .taps = taps.data(),
                          .quads = quads_,
                          .weights = quads_of_[static_cast<std::size_t>(4 * quads_ * panel)].bytes.data(),
                          .bias = finishes_[static_cast<std::size_t>(panel)].bias(),
                          .sums = sums.data(),
                          .channels = static_cast<int>(count_of(panel)),
                          .pixels_a_register = each,
                          .pixels = static_cast<int>(rows.pixels)});
    finish(sums, rows, panel, each, 1);
  }

  // Pixel i of register r is number r / turns · turns · each + i · turns + r % turns.
  void finish(const Sums& sums, const LinearRun& rows, std::int64_t panel, int each, int turns) const {
    const PanelFinish& end = finishes_[static_cast<std::size_t>(panel)];
    const auto count = static_cast<std::size_t>(count_of(panel));
    const auto registers = static_cast<int>(rows.pixels / each);
    if (count == kLanes) return end(sums.data(), registers, rows.y, rows.y_pixel);
    alignas(64) std::array<std::uint8_t, kMostRegisters * kLanes> bytes;
    end(sums.data(), registers, bytes.data(), kLanes);
    for (int r = 0; r < registers; ++r)
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
