#include "halftone/analysis/channel_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace halftone::analysis {
namespace {

constexpr double kConstant = 1e-6;  // of its RMS: a spread that is float32 rounding alone

}  // namespace

std::vector<std::size_t> channel_axes(std::size_t rank) {
  if (rank == 2) return {1};
  if (rank == 3) return {1, 2};
  return rank > 3 ? std::vector<std::size_t>{1} : std::vector<std::size_t>{};
}

std::string describe(const ChannelError& error) {
  return fmt::format("dimension {}, index {}: {:.1f} %", error.axis, error.index, 100.0 * error.relative);
}

void ChannelErrors::add(const Tensor& x, const Tensor& x_hat, std::int64_t rows) {
  if (x.rank() == 0 || x.shape() != x_hat.shape() || x.size() == 0) return;
  if (axes_.empty())
    for (std::size_t axis : channel_axes(x.rank()))
      axes_.push_back({axis, std::vector<Sums>(static_cast<std::size_t>(x.dim(axis)))});
  const auto a = x.data<float>();
  const auto b = x_hat.data<float>();
  const std::size_t row = a.size() / static_cast<std::size_t>(x.dim(0));
  const std::size_t own = std::min(a.size(), row * static_cast<std::size_t>(rows));
  for (Axis& along : axes_) {
    if (along.axis >= x.rank() || static_cast<std::size_t>(x.dim(along.axis)) != along.channels.size()) continue;
    const auto inner = static_cast<std::size_t>(product(x.shape(), along.axis + 1, x.rank()));
    for (std::size_t begin = 0; begin < own; begin += inner) {
      Sums& sums = along.channels[begin / inner % along.channels.size()];
      for (std::size_t i = begin; i < begin + inner; ++i) {
        const double d = a[i] == b[i] ? 0.0 : double{a[i]} - b[i];
        sums.x += a[i];
        sums.xx += double{a[i]} * a[i];
        sums.dd += d * d;
      }
      sums.count += static_cast<std::int64_t>(inner);
    }
  }
}

void ChannelErrors::add(const ChannelErrors& other) {
  if (axes_.empty()) {
    axes_ = other.axes_;
    return;
  }
  for (std::size_t i = 0; i < std::min(axes_.size(), other.axes_.size()); ++i)
    for (std::size_t c = 0; c < std::min(axes_[i].channels.size(), other.axes_[i].channels.size()); ++c) {
      Sums& sums = axes_[i].channels[c];
      const Sums& more = other.axes_[i].channels[c];
      sums.x += more.x;
      sums.xx += more.xx;
      sums.dd += more.dd;
      sums.count += more.count;
    }
}

std::optional<ChannelError> ChannelErrors::worst() const {
  std::optional<ChannelError> worst;
  for (const Axis& along : axes_)
    for (std::size_t c = 0; c < along.channels.size(); ++c) {
      const Sums& sums = along.channels[c];
      if (sums.count == 0) continue;
      const double n = static_cast<double>(sums.count);
      const double mean = sums.x / n;
      const double sigma = std::sqrt(std::max(0.0, sums.xx / n - mean * mean));
      if (!(sigma > kConstant * std::sqrt(sums.xx / n))) continue;
      const double relative = std::sqrt(sums.dd / n) / sigma;
      if (!worst || !(relative <= worst->relative)) worst = {along.axis, static_cast<std::int64_t>(c), relative};
      if (std::isnan(relative)) return worst;
    }
  return worst;
}

}  // namespace halftone::analysis
