// How far numbers lie from those they stand for, channel by channel, each beside its own spread: what a mean over all
// of them hides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halftone/base/tensor.h"

namespace halftone::analysis {

// The dimensions of a value [N, …] whose indices are looked at one by one: the last of two; 1 and the last of three;
// 1 (channels) of more.
std::vector<std::size_t> channel_axes(std::size_t rank);

struct ChannelError {
  std::size_t axis = 0;
  std::int64_t index = 0;
  double relative = 0.0;  // √(Σ(x − x̂)²/n) / σ(x), x and x̂ of this channel; 1: nothing of x is left
  bool operator==(const ChannelError&) const = default;
};

// A channel with a larger ChannelError::relative says nothing any more.
inline constexpr double kLostChannel = 0.9;

// "dimension 1, index 5: 100.0 %".
std::string describe(const ChannelError& error);

class ChannelErrors {
 public:
  // x and x̂ of one shape; only the first `rows` count.
  void add(const Tensor& x, const Tensor& x_hat, std::int64_t rows);
  void add(const ChannelErrors& other);
  // The channel with the largest error; those that are one number throughout do not count.
  std::optional<ChannelError> worst() const;

 private:
  struct Sums {
    double x = 0.0;
    double xx = 0.0;
    double dd = 0.0;
    std::int64_t count = 0;
  };
  struct Axis {
    std::size_t axis = 0;
    std::vector<Sums> channels;
  };
  std::vector<Axis> axes_;
};

}  // namespace halftone::analysis
