#include "halftone/rtl/array_cycles.h"

#include <algorithm>
#include <array>

namespace halftone::rtl {
namespace {

constexpr int kFromDrainToResult = 11;  // cycles: the registers of MatmulArray behind the drain, and its SkidBuffer

// The words that come in: one of each stream a cycle, or those that the shared bytes have brought, in share_bytes' order.
class Feed {
 public:
  Feed(const ArrayGeometry& g, const Tiling& tiling, int bytes_a_cycle)
      : tiling_(tiling), bytes_(bytes_a_cycle), cost_{g.rows, g.cols, (g.parameter_width() + 7) / 8}, total_{tiling.a_words(), tiling.b_words(), tiling.col_tiles * g.cols} {}

  const std::array<std::int64_t, 3>& sent() const { return sent_; }

  void cycle(const std::array<bool, 3>& ready) {
    if (bytes_ == 0) {
      for (std::size_t i = 0; i < 3; ++i) sent_[i] += ready[i] && sent_[i] < total_[i];
      return;
    }
    credit_ = std::min(credit_ + bytes_, bytes_ + *std::ranges::max_element(cost_));
    std::array<bool, 3> gone{};
    while (sent_ != total_) {
      const std::size_t i = next();
      if (gone[i] || !ready[i] || credit_ < cost_[i]) return;
      gone[i] = true;
      credit_ -= cost_[i];
      ++sent_[i];
    }
  }

 private:
  // The stream of the next word, in share_bytes' order.
  std::size_t next() const {
    if (sent_[1] < tiling_.steps) return sent_[0] > sent_[1] ? 1 : 0;
    const std::int64_t more_b = total_[1] - tiling_.steps, done_b = sent_[1] - tiling_.steps;
    const std::int64_t spread = std::min(total_[0] - tiling_.steps, tiling_.steps);
    if (done_b > 0 && sent_[0] - tiling_.steps < spread * done_b / more_b) return 0;
    if (sent_[2] < total_[2] && (sent_[2] <= done_b || done_b == more_b)) return 2;
    return done_b < more_b ? 1 : 0;
  }

  Tiling tiling_;
  std::int64_t bytes_;
  std::array<std::int64_t, 3> cost_, total_, sent_{};
  std::int64_t credit_ = 0;
};

// library/TileSequencer.sv: which step is next.
struct Steps {
  std::int64_t a_base = 0, a_read = 0, b_read = 0, step = 0, col_tile = 0, row_tile = 0;
};

// library/DrainSequencer.sv: which group and column is next.
struct Drain {
  bool busy = false;
  std::int64_t age = 0, group = 0, col = 0, col_tile = 0, tiles = 0;
};

class Walk {
 public:
  Walk(const ArrayGeometry& g, const ProductShape& shape, int bytes_a_cycle) : g_(g), tiling_(tiling_of(g, shape)), feed_(g, tiling_, bytes_a_cycle) {}

  std::int64_t cycles() {
    std::int64_t cycle = 0;
    std::array<std::int64_t, 3> before{};  // words that had come a cycle ago: steps see no later ones
    while (drain_.tiles < tiling_.row_tiles * tiling_.col_tiles) {
      ++cycle;
      const auto sent = feed_.sent();
      feed_.cycle({sent[0] - steps_.a_base < g_.a_depth, sent[1] < tiling_.b_words(), sent[2] < tiling_.col_tiles * g_.cols});
      ++drain_.age;
      const bool pending = drain_.busy;
      drain(before[2]);
      if (step(before[0], before[1], pending)) {
        drain_.busy = true;
        drain_.age = 0;
      }
      before = sent;
    }
    return cycle + kFromDrainToResult;
  }

 private:
  void drain(std::int64_t parameters) {
    const std::int64_t due = g_.cols + g_.latency() + 3 + (drain_.group + 1) * g_.lines_a_group() - 1;
    if (!drain_.busy || drain_.age < due || (drain_.col_tile + 1) * g_.cols > parameters) return;
    if (++drain_.col < g_.cols) return;
    drain_.col = 0;
    if (++drain_.group < g_.rows / g_.lanes) return;
    drain_.group = 0;
    drain_.busy = false;
    drain_.col_tile = (drain_.col_tile + 1) % tiling_.col_tiles;
    ++drain_.tiles;
  }

  // Whether this cycle begins a tile's last step.
  bool step(std::int64_t a_written, std::int64_t b_written, bool pending) {
    const bool last = steps_.step == tiling_.steps - 1;
    if (steps_.row_tile == tiling_.row_tiles || steps_.a_read == a_written || steps_.b_read == b_written || (last && pending)) return false;
    ++steps_.a_read;
    ++steps_.b_read;
    if (++steps_.step < tiling_.steps) return false;
    steps_.step = 0;
    if (++steps_.col_tile < tiling_.col_tiles) {
      steps_.a_read = steps_.a_base;
    } else {
      steps_.col_tile = 0;
      steps_.b_read = 0;
      steps_.a_base = steps_.a_read;
      ++steps_.row_tile;
    }
    return true;
  }

  const ArrayGeometry& g_;
  Tiling tiling_;
  Feed feed_;
  Steps steps_;
  Drain drain_;
};

}  // namespace

std::int64_t predicted_cycles(const ArrayGeometry& geometry, const ProductShape& shape, int bytes_a_cycle) {
  return Walk(geometry, shape, bytes_a_cycle).cycles();
}

std::int64_t bound_on_cycles(const ArrayGeometry& g, const ProductShape& shape, int bytes_a_cycle) {
  const auto up = [](std::int64_t total, std::int64_t size) { return (total + size - 1) / size; };
  const std::int64_t work = up(shape.rows * shape.depth * shape.cols, g.products());
  if (bytes_a_cycle == 0) return work;
  const std::int64_t row = up(shape.depth, g.numbers_a_byte());
  return std::max(work, up((shape.rows + shape.cols) * row + shape.cols * ((g.parameter_width() + 7) / 8), bytes_a_cycle));
}

}  // namespace halftone::rtl
