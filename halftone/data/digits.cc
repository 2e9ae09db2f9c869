#include "halftone/data/digits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/data/digit_strokes.h"

// The bytes must be the same on every machine: float arithmetic here is + - * / sqrt, which IEEE 754 fixes to
// the last bit (uncontracted), and nothing from libm beyond that.

namespace halftone::data {
namespace {

constexpr int kClasses = 10;
constexpr int kSide = 28;
constexpr std::int64_t kPixels = kSide * kSide;
constexpr int kStepsPerSpan = 6;

// How far hands differ; chosen so that a 784-128-64-10 network gets about 97 of 100 test images right.
constexpr float kTurn = 0.16f;          // largest tangent of half the angle: 18 degrees
constexpr float kShear = 0.30f;         // largest slant, x per y
constexpr float kShift = 3.0f;          // largest offset from the middle, pixels
constexpr float kPointJitter = 0.055f;  // deviation of each point, in the digit's box
constexpr float kBend = 0.18f;          // largest bend of the whole digit, in its box
constexpr float kGrain = 0.10f;         // deviation of the ink, relative

// SplitMix64 (Steele, Lea and Flood 2014), seeded by what is drawn.
class Random {
 public:
  Random(std::uint64_t stream, std::uint64_t index) : state_(mix(mix(stream) + index)) {}

  std::uint64_t next() { return mix(state_ += kGolden); }
  // In [0, count), for small counts.
  std::size_t below(std::size_t count) { return static_cast<std::size_t>((next() >> 32) * count >> 32); }
  float uniform(float low, float high) {
    return low + (high - low) * (static_cast<float>(next() >> 40) * 0x1p-24f);
  }
  // Nearly normal: the sum of four uniform numbers, whose variance is 1/3.
  float bell(float deviation) {
    constexpr float kSqrt3 = 1.7320508f;
    float sum = uniform(-0.5f, 0.5f);
    for (int i = 0; i < 3; ++i) sum += uniform(-0.5f, 0.5f);
    return sum * kSqrt3 * deviation;
  }

 private:
  static constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

struct Point {
  float x;
  float y;
};

// From the digit's box to pixels around the origin: bent, slanted, scaled and turned.
class Hand {
 public:
  explicit Hand(Random& random) {
    const float t = random.uniform(-kTurn, kTurn);
    cos_ = (1 - t * t) / (1 + t * t);
    sin_ = 2 * t / (1 + t * t);
    shear_ = random.uniform(-kShear, kShear);
    width_ = random.uniform(10.0f, 17.0f);
    height_ = random.uniform(15.5f, 21.0f);
    bend_x_ = random.uniform(-kBend, kBend);
    bend_y_ = random.uniform(-kBend, kBend);
  }

  Point operator()(Point p) const {
    const float u = p.x - 0.5f;
    const float v = p.y - 0.5f;
    const float x = (u + bend_x_ * (4 * v * v - 0.5f) - shear_ * v) * width_;
    const float y = (v + bend_y_ * (4 * u * u - 0.5f)) * height_;
    return {cos_ * x - sin_ * y, sin_ * x + cos_ * y};
  }

 private:
  float cos_, sin_, shear_, width_, height_, bend_x_, bend_y_;
};

// The Catmull-Rom curve from b to c at t in [0, 1].
Point spline(Point a, Point b, Point c, Point d, float t) {
  const auto along = [t](float p, float q, float r, float s) {
    return q + 0.5f * t * ((r - p) + t * ((2 * p - 5 * q + 4 * r - s) + t * (3 * (q - r) + s - p)));
  };
  return {along(a.x, b.x, c.x, d.x), along(a.y, b.y, c.y, d.y)};
}

// Points close together along the stroke; neighbours across a corner don't bend the curve.
std::vector<Point> trace(const Stroke& stroke, const std::vector<Point>& at) {
  std::vector<Point> line = {at[0]};
  for (std::size_t i = 0; i + 1 < at.size(); ++i) {
    const Point before = i == 0 || stroke[i].corner ? at[i] : at[i - 1];
    const Point after = i + 2 == at.size() || stroke[i + 1].corner ? at[i + 1] : at[i + 2];
    for (int step = 1; step <= kStepsPerSpan; ++step)
      line.push_back(spline(before, at[i], at[i + 1], after,
                            static_cast<float>(step) / static_cast<float>(kStepsPerSpan)));
  }
  return line;
}

// For each pixel, the square of its centre's distance to the nearest line drawn.
class DistanceField {
 public:
  explicit DistanceField(float reach) : reach_(reach) { squares_.fill(reach * reach); }

  void add(Point a, Point b) {
    const Point d = {b.x - a.x, b.y - a.y};
    const float length = d.x * d.x + d.y * d.y;
    const auto [left, right] = covered(a.x, b.x);
    const auto [top, bottom] = covered(a.y, b.y);
    for (int row = top; row < bottom; ++row)
      for (int column = left; column < right; ++column) {
        const Point p = {static_cast<float>(column) + 0.5f - a.x, static_cast<float>(row) + 0.5f - a.y};
        const float t = length > 0 ? std::clamp((p.x * d.x + p.y * d.y) / length, 0.0f, 1.0f) : 0;
        const Point off = {p.x - t * d.x, p.y - t * d.y};
        float& square = squares_[static_cast<std::size_t>(row * kSide + column)];
        square = std::min(square, off.x * off.x + off.y * off.y);
      }
  }
  float distance(std::size_t pixel) const { return std::sqrt(squares_[pixel]); }

 private:
  // Pixels [first, last) within reach of the interval.
  std::pair<int, int> covered(float a, float b) const {
    const float low = std::clamp(std::min(a, b) - reach_, 0.0f, static_cast<float>(kSide));
    const float high = std::clamp(std::max(a, b) + reach_ + 1, 0.0f, static_cast<float>(kSide));
    return {static_cast<int>(low), static_cast<int>(high)};
  }

  float reach_;
  std::array<float, kPixels> squares_;
};

using Ink = std::array<float, kPixels>;

using Lines = std::vector<std::vector<Point>>;

Lines write_strokes(const Glyph& glyph, Random& random) {
  const Hand hand(random);
  Lines lines;
  for (const Stroke& stroke : glyph) {
    std::vector<Point> points;
    for (const StrokePoint& p : stroke)
      points.push_back(hand({p.x + random.bell(kPointJitter), p.y + random.bell(kPointJitter)}));
    lines.push_back(trace(stroke, points));
  }
  return lines;
}

// Moves the lines along one axis to about the middle of the frame, and shrinks them when ink reaching
// `margin` beyond them would not fit.
void move_into_frame(Lines& lines, float Point::*axis, float margin, Random& random) {
  float low = lines[0][0].*axis;
  float high = low;
  for (const auto& line : lines)
    for (const Point& p : line) {
      low = std::min(low, p.*axis);
      high = std::max(high, p.*axis);
    }
  const float inside = kSide - 2 * margin;
  const float scale = high - low > inside ? inside / (high - low) : 1.0f;
  const float room = std::max(0.0f, (inside - (high - low)) * 0.5f);
  const float middle = kSide * 0.5f + random.uniform(-1, 1) * std::min(room, kShift);
  for (auto& line : lines)
    for (Point& p : line) p.*axis = middle + scale * (p.*axis - (low + high) * 0.5f);
}

Ink draw(const Glyph& glyph, Random& random) {
  const float half_width = random.uniform(0.8f, 1.7f);
  Lines lines = write_strokes(glyph, random);
  move_into_frame(lines, &Point::x, half_width + 1, random);
  move_into_frame(lines, &Point::y, half_width + 1, random);
  DistanceField field(half_width + 0.5f);
  for (const auto& line : lines)
    for (std::size_t i = 0; i + 1 < line.size(); ++i) field.add(line[i], line[i + 1]);
  Ink ink{};
  for (std::size_t pixel = 0; pixel < ink.size(); ++pixel)
    ink[pixel] = std::clamp(half_width + 0.5f - field.distance(pixel), 0.0f, 1.0f);
  return ink;
}

// [w, 1 - 2w, w] along rows, then along columns; black outside.
void blur(Ink& ink, float weight) {
  for (int stride : {1, kSide}) {
    const Ink source = ink;
    for (int pixel = 0; pixel < kPixels; ++pixel) {
      const int place = stride == 1 ? pixel % kSide : pixel / kSide;
      const auto at = [&](int offset) {
        const bool inside = place + offset >= 0 && place + offset < kSide;
        return inside ? source[static_cast<std::size_t>(pixel + offset * stride)] : 0.0f;
      };
      ink[static_cast<std::size_t>(pixel)] = (1 - 2 * weight) * at(0) + weight * (at(-1) + at(1));
    }
  }
}

void write_pixels(const Ink& ink, Random& random, std::span<std::uint8_t> pixels) {
  const float brightness = random.uniform(200.0f, 290.0f);
  for (std::size_t i = 0; i < ink.size(); ++i) {
    const float value = ink[i] * (brightness + 255.0f * random.bell(kGrain));
    pixels[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f) + 0.5f);
  }
}

std::uint64_t stream_of(Part part) { return part == Part::train ? 1 : 2; }

// The digits 0 to 9 in the order that images [10 block, 10 block + 10) show them.
std::array<int, kClasses> order_of(Part part, std::int64_t block) {
  constexpr std::uint64_t kOrderStreams = 16;
  Random random(kOrderStreams + stream_of(part), static_cast<std::uint64_t>(block));
  std::array<int, kClasses> order{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
  return order;
}

}  // namespace

std::int64_t default_digit_count(Part part) { return part == Part::train ? 20000 : 4000; }

Dataset make_digits(Part part, std::int64_t count, int threads) {
  if (count < 1)
    throw UsageError("digits", fmt::format("number of images, got {}, expected at least 1", count));
  Dataset dataset{.name = "digits",
                  .images = Tensor(DType::uint8, {count, 1, kSide, kSide}),
                  .labels = std::vector<std::int32_t>(static_cast<std::size_t>(count)),
                  .classes = kClasses};
  const auto pixels = dataset.images.mutable_data<std::uint8_t>();
  parallel_for((count + kClasses - 1) / kClasses, threads, [&](std::int64_t block) {
    const auto order = order_of(part, block);
    for (std::int64_t i = block * kClasses; i < std::min(count, (block + 1) * kClasses); ++i) {
      Random random(stream_of(part), static_cast<std::uint64_t>(i));
      const int digit = order[static_cast<std::size_t>(i % kClasses)];
      const auto glyphs = glyphs_of(digit);
      Ink ink = draw(glyphs[random.below(glyphs.size())], random);
      blur(ink, random.uniform(0.0f, 0.22f));
      write_pixels(ink, random, pixels.subspan(static_cast<std::size_t>(i * kPixels), kPixels));
      dataset.labels[static_cast<std::size_t>(i)] = digit;
    }
  });
  return dataset;
}

Dataset make_digits(Part part) { return make_digits(part, default_digit_count(part)); }

}  // namespace halftone::data
