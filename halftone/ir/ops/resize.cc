#include "halftone/ir/ops/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "halftone/base/error.h"

namespace halftone::ir {
namespace {

Shape resized(const Resize& op, const Shape& x) {
  const std::size_t given = op.sizes.empty() ? op.scales.size() : op.sizes.size();
  if (given != x.size())
    throw InputError("Resize", fmt::format("{} sizes or scales for {} dimensions", given, x.size()));
  Shape y = x;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const bool kept =
        op.sizes.empty() ? op.scales[d] == 1.0F : op.sizes[d] == kDynamic || op.sizes[d] == x[d];
    if (kept) continue;
    if (x[d] == kDynamic)
      throw UnsupportedError("Resize", fmt::format("resizes dimension {}, which is not fixed", d));
    const double size = op.sizes.empty() ? double{std::floor(static_cast<float>(x[d]) * op.scales[d])}
                                         : static_cast<double>(op.sizes[d]);
    if (!(size >= 0.0 && size <= static_cast<double>(kMaxElements)) || (x[d] == 0 && size > 0.0) ||
        (op.sizes.empty() && !(op.scales[d] > 0.0F)))
      throw InputError("Resize", fmt::format("dimension {} of {} to {} elements", d, x[d], size));
    y[d] = static_cast<std::int64_t>(size);
  }
  return y;
}

// Where element o of dimension d reads, in places of x; float32 in this order (half_pixel_symmetric: in double
// after the offset), as ONNX Runtime, so that the nearest place is the same.
float place_of(const Resize& op, std::int64_t o, std::int64_t in, std::int64_t out, std::size_t d) {
  if (in == out) return static_cast<float>(o);
  const auto n = static_cast<float>(out);
  const auto length = static_cast<float>(in);
  const float scale = op.sizes.empty() ? op.scales[d] : n / length;
  const auto at = static_cast<float>(o);
  const float half = (at + 0.5F) / scale - 0.5F;
  switch (op.coordinates) {
    case Coordinates::half_pixel:
      return half;
    case Coordinates::pytorch_half_pixel:
      return out > 1 ? half : 0.0F;
    case Coordinates::half_pixel_symmetric: {
      const float offset = length / 2.0F * (1.0F - n / (scale * length));
      return static_cast<float>(double{offset} + (double{at} + 0.5) / double{scale} - 0.5);
    }
    case Coordinates::asymmetric:
      return at / scale;
    case Coordinates::align_corners:
      break;
  }
  return out > 1 ? at * (length - 1.0F) / (n - 1.0F) : 0.0F;
}

// Places this near to the middle between two elements lie in the middle.
constexpr float kTie = 1e-6F;

float round_place(float place, NearestMode mode) {
  const float below = std::floor(place);
  const bool tie = std::fabs(place - below - 0.5F) <= kTie;
  switch (mode) {
    case NearestMode::round_prefer_floor:
      return tie ? below : std::round(place);
    case NearestMode::round_prefer_ceil:
      return tie ? below + 1.0F : std::round(place);
    case NearestMode::floor:
      return below;
    case NearestMode::ceil:
      break;
  }
  return std::ceil(place);
}

// x read at `places[d]` along each dimension.
Tensor take(const Tensor& x, const Shape& shape, const std::vector<std::vector<std::int64_t>>& places) {
  Tensor y(x.dtype(), shape);
  const std::size_t size = size_of(x.dtype());
  std::byte* out = y.mutable_bytes().data();
  std::vector<std::size_t> index(shape.size(), 0);
  for (std::int64_t i = 0; i < y.size(); ++i, out += size) {
    std::int64_t from = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) from = from * x.dim(d) + places[d][index[d]];
    std::memcpy(out, x.bytes().data() + static_cast<std::size_t>(from) * size, size);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < places[d].size()) break;
      index[d] = 0;
    }
  }
  return y;
}

// Dimension d of `values` (shape x) stretched or shrunk to `out` elements between neighbours.
std::vector<double> interpolate(const Resize& op, const std::vector<double>& values, const Shape& x,
                                std::size_t d, std::int64_t out) {
  const std::int64_t inner = product(x, d + 1, x.size());
  const std::int64_t outer = product(x, 0, d);
  std::vector<double> result(static_cast<std::size_t>(outer * out * inner));
  for (std::int64_t o = 0; o < out; ++o) {
    const double place =
        std::clamp<double>(place_of(op, o, x[d], out, d), 0.0, static_cast<double>(x[d] - 1));
    const auto low = static_cast<std::int64_t>(place);
    const std::int64_t high = std::min(low + 1, x[d] - 1);
    const double part = place - static_cast<double>(low);
    for (std::int64_t a = 0; a < outer; ++a)
      for (std::int64_t i = 0; i < inner; ++i) {
        const double left = values[static_cast<std::size_t>((a * x[d] + low) * inner + i)];
        const double right = values[static_cast<std::size_t>((a * x[d] + high) * inner + i)];
        result[static_cast<std::size_t>((a * out + o) * inner + i)] = left + (right - left) * part;
      }
  }
  return result;
}

}  // namespace

std::vector<std::vector<std::int64_t>> nearest_places(const Resize& op, const Shape& x) {
  const Shape y = resized(op, x);
  std::vector<std::vector<std::int64_t>> places(x.size());
  for (std::size_t d = 0; d < x.size(); ++d)
    for (std::int64_t o = 0; o < y[d]; ++o) {
      const float place = round_place(place_of(op, o, x[d], y[d], d), op.nearest);
      places[d].push_back(
          static_cast<std::int64_t>(std::clamp<double>(place, 0.0, static_cast<double>(x[d] - 1))));
    }
  return places;
}

std::vector<TensorType> infer(const Resize& op, InputTypes inputs) {
  if (op.linear && !is_float(inputs[0]->dtype))
    throw UnsupportedError("Resize",
                           fmt::format("interpolates {}, expected floats", name_of(inputs[0]->dtype)));
  return {{inputs[0]->dtype, resized(op, inputs[0]->shape)}};
}

std::vector<Tensor> evaluate(const Resize& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  const Shape shape = resized(op, x.shape());
  if (!op.linear) return {take(x, shape, nearest_places(op, x.shape()))};
  const Tensor wide = x.cast(DType::float64);
  std::vector<double> values(wide.data<double>().begin(), wide.data<double>().end());
  Shape now = x.shape();
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (now[d] == shape[d]) continue;
    values = interpolate(op, values, now, d, shape[d]);
    now[d] = shape[d];
  }
  return {Tensor::from<double>(shape, values).cast(x.dtype())};
}

}  // namespace halftone::ir
