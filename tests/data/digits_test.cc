#include "halftone/data/digits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "halftone/base/error.h"

namespace halftone::data {
namespace {

// FNV-1a over the pixels.
std::uint64_t hash_of(const Dataset& dataset) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::uint8_t pixel : dataset.images.data<std::uint8_t>()) hash = (hash ^ pixel) * 0x100000001b3;
  return hash;
}

std::span<const std::uint8_t> image(const Dataset& dataset, std::int64_t i) {
  return dataset.images.data<std::uint8_t>().subspan(static_cast<std::size_t>(i) * 784, 784);
}

// Trained accuracies in the documents rest on these very bytes.
TEST(Digits, BytesNeverChange) {
  EXPECT_EQ(hash_of(make_digits(Part::train, 1000)), 2319105397021091035u);
  EXPECT_EQ(hash_of(make_digits(Part::test, 1000)), 6472779736551114852u);
}

TEST(Digits, DefaultSizesAndBalance) {
  for (const auto& [part, size] : {std::pair{Part::train, 20000}, std::pair{Part::test, 4000}}) {
    const Dataset dataset = make_digits(part);
    EXPECT_EQ(dataset.name, "digits");
    EXPECT_EQ(dataset.images.shape(), (Shape{size, 1, 28, 28}));
    EXPECT_EQ(dataset.images.dtype(), DType::uint8);
    for (std::int64_t count : class_counts(dataset)) EXPECT_EQ(count, size / 10);
    EXPECT_NO_THROW(check(dataset, "digits"));
  }
}

TEST(Digits, DoNotDependOnThreadsOrCount) {
  const Dataset one = make_digits(Part::train, 200, 1);
  const Dataset many = make_digits(Part::train, 200, 7);
  EXPECT_EQ(one.images, many.images);
  EXPECT_EQ(one.labels, many.labels);
  const Dataset fewer = make_digits(Part::train, 123);
  EXPECT_EQ(fewer.images, one.images.rows(0, 123));
  EXPECT_TRUE(std::equal(fewer.labels.begin(), fewer.labels.end(), one.labels.begin()));
}

TEST(Digits, NoTwoImagesAreAlike) {
  const Dataset train = make_digits(Part::train, 500);
  const Dataset test = make_digits(Part::test, 500);
  std::vector<std::uint64_t> hashes;
  for (const Dataset* part : {&train, &test})
    for (std::int64_t i = 0; i < part->size(); ++i)
      hashes.push_back(hash_of(first({"", part->images.rows(i, i + 1), {0}, 1}, 1)));
  std::ranges::sort(hashes);
  EXPECT_EQ(std::ranges::adjacent_find(hashes), hashes.end());
}

TEST(Digits, AreWhiteOnBlackAndDrawn) {
  const Dataset dataset = make_digits(Part::test, 1000);
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    int lit = 0;
    int bright = 0;
    for (std::uint8_t pixel : image(dataset, i)) {
      lit += pixel > 0;
      bright = std::max<int>(bright, pixel);
    }
    EXPECT_GT(lit, 25) << i;
    EXPECT_LT(lit, 400) << i;
    EXPECT_GT(bright, 90) << i;
  }
}

// A digit cut off by the frame could not be told.
TEST(Digits, StayInsideTheFrame) {
  const Dataset dataset = make_digits(Part::train, 1000);
  int touching = 0;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const auto pixels = image(dataset, i);
    bool touches = false;
    for (std::size_t k = 0; k < 28; ++k)
      touches |=
          pixels[k] > 100 || pixels[27 * 28 + k] > 100 || pixels[28 * k] > 100 || pixels[28 * k + 27] > 100;
    touching += touches;
  }
  EXPECT_EQ(touching, 0);
}

// Nearest class mean in pixels: far above chance, yet far from solved.
TEST(Digits, AreLearnableAndNotTrivial) {
  const Dataset train = make_digits(Part::train, 5000);
  const Dataset test = make_digits(Part::test, 1000);
  std::array<std::array<double, 784>, 10> means{};
  for (std::int64_t i = 0; i < train.size(); ++i)
    for (std::size_t p = 0; p < 784; ++p)
      means[static_cast<std::size_t>(train.labels[static_cast<std::size_t>(i)])][p] +=
          image(train, i)[p] / 500.0;
  int right = 0;
  for (std::int64_t i = 0; i < test.size(); ++i) {
    const auto distance_to = [&](const auto& mean) {
      double sum = 0;
      for (std::size_t p = 0; p < 784; ++p)
        sum += (mean[p] - image(test, i)[p]) * (mean[p] - image(test, i)[p]);
      return sum;
    };
    const auto nearest = std::ranges::min_element(means, {}, distance_to);
    right += nearest - means.begin() == test.labels[static_cast<std::size_t>(i)];
  }
  EXPECT_GT(right, 500);
  EXPECT_LT(right, 900);
}

TEST(Digits, RefusesNoImages) {
  EXPECT_THROW(make_digits(Part::train, 0), UsageError);
  EXPECT_THROW(make_digits(Part::train, -1), UsageError);
}

}  // namespace
}  // namespace halftone::data
