#include "halftone/data/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/data/image.h"

namespace halftone::data {
namespace {

// For the outputs [begin, begin + count).
std::vector<Filter> triangle_filters(std::int64_t from, std::int64_t to, std::int64_t begin, std::int64_t count) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double support = std::max(scale, 1.0);
  std::vector<Filter> filters(static_cast<std::size_t>(count));
  for (std::size_t k = 0; k < filters.size(); ++k) {
    Filter& filter = filters[k];
    const double centre = (static_cast<double>(begin + static_cast<std::int64_t>(k)) + 0.5) * scale;
    filter.first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(centre - support + 0.5)));
    const auto last = std::min(from, static_cast<std::int64_t>(std::floor(centre + support + 0.5)));
    double sum = 0.0;
    for (std::int64_t i = filter.first; i < last; ++i) {
      filter.weights.push_back(std::max(0.0, 1.0 - std::fabs(static_cast<double>(i) + 0.5 - centre) / support));
      sum += filter.weights.back();
    }
    for (double& weight : filter.weights) weight /= sum;
  }
  return filters;
}

std::int64_t channel_of(std::int64_t c, std::int64_t samples) { return samples >= 3 ? c : 0; }

}  // namespace

Target whole(std::int64_t height, std::int64_t width) {
  return {.height = height, .width = width, .rows = height, .columns = width};
}

Target cropped(std::int64_t h, std::int64_t w, std::int64_t side, std::int64_t height, std::int64_t width) {
  const double scale = static_cast<double>(side) / static_cast<double>(std::min(h, w));
  const auto scaled = [&](std::int64_t from) { return static_cast<std::int64_t>(std::llround(static_cast<double>(from) * scale)); };
  Target target{.height = std::max(height, scaled(h)), .width = std::max(width, scaled(w)), .rows = height, .columns = width};
  target.top = (target.height - height) / 2;
  target.left = (target.width - width) / 2;
  return target;
}

Resizer::Resizer(std::int64_t h, std::int64_t w, const Target& target)
    : target_(target), same_(target.height == h && target.width == w), width_(w) {
  if (target.height * target.width > kMostPixels)
    throw InputError("resize", fmt::format("{}x{} to {}x{}, expected at most {} pixels", w, h, target.width, target.height,
                                           kMostPixels));
  if (!same_) {
    across_ = triangle_filters(w, target.width, target.left, target.columns);
    down_ = triangle_filters(h, target.height, target.top, target.rows);
    line_.resize(static_cast<std::size_t>(3 * target.columns));
  }
  kept_ = Tensor(DType::uint8, {3, target.rows, target.columns});
  out_ = kept_.mutable_data<std::uint8_t>().data();
}

void Resizer::row(const std::uint8_t* pixels, std::int64_t samples) {
  const std::int64_t y = at_++;
  if (same_) {
    if (y >= target_.top && y < target_.top + target_.rows) copy(pixels, samples);
    return;
  }
  for (; begun_ < down_.size() && down_[begun_].first <= y; ++begun_) sums_.emplace_back(line_.size());
  if (sums_.empty()) return;
  squeeze(pixels, samples);
  std::size_t row = begun_ - sums_.size();
  for (std::vector<double>& sums : sums_) {
    const Filter& filter = down_[row++];
    const auto i = static_cast<std::size_t>(y - filter.first);
    if (i >= filter.weights.size()) continue;
    for (std::size_t x = 0; x < line_.size(); ++x) sums[x] += filter.weights[i] * line_[x];
  }
  const auto is_done = [&](const Filter& f) { return f.first + static_cast<std::int64_t>(f.weights.size()) <= y + 1; };
  while (!sums_.empty() && is_done(down_[begun_ - sums_.size()])) finish_first();
}

void Resizer::copy(const std::uint8_t* pixels, std::int64_t samples) {
  const std::int64_t row = at_ - 1 - target_.top;
  for (std::int64_t c = 0; c < 3; ++c) {
    const std::uint8_t* from = pixels + target_.left * samples + channel_of(c, samples);
    std::uint8_t* to = out_ + (c * target_.rows + row) * target_.columns;
    for (std::int64_t x = 0; x < target_.columns; ++x) to[x] = from[x * samples];
  }
}

void Resizer::squeeze(const std::uint8_t* pixels, std::int64_t samples) {
  double* to = line_.data();
  for (std::int64_t c = 0; c < 3; ++c)
    for (const Filter& filter : across_) {
      const std::uint8_t* from = pixels + filter.first * samples + channel_of(c, samples);
      double sum = 0.0;
      for (double weight : filter.weights) {
        sum += weight * *from;
        from += samples;
      }
      *to++ = sum;
    }
}

void Resizer::finish_first() {
  const auto row = static_cast<std::int64_t>(begun_ - sums_.size());
  const double* sum = sums_.front().data();
  for (std::int64_t c = 0; c < 3; ++c) {
    std::uint8_t* to = out_ + (c * target_.rows + row) * target_.columns;
    for (std::int64_t x = 0; x < target_.columns; ++x)
      to[x] = static_cast<std::uint8_t>(std::clamp(std::floor(*sum++ + 0.5), 0.0, 255.0));
  }
  sums_.pop_front();
}

}  // namespace halftone::data
