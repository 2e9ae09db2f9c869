#include "halftone/data/cifar10.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "tests/data/damage.h"
#include "tests/data/scratch.h"

namespace halftone::data {
namespace {

// Rows of the given labels; the planes of row i are filled with i, i + 1 and i + 2.
std::vector<std::byte> rows(std::initializer_list<int> labels) {
  std::vector<std::byte> bytes;
  int row = 0;
  for (int label : labels) {
    bytes.push_back(static_cast<std::byte>(label));
    for (int plane = 0; plane < 3; ++plane)
      bytes.insert(bytes.end(), 1024, static_cast<std::byte>(row + plane));
    ++row;
  }
  return bytes;
}

Dataset parse(std::span<const std::byte> bytes) { return parse_cifar10(bytes, "test"); }

TEST(Cifar10, SplitsRowsIntoLabelAndPlanes) {
  const Dataset dataset = parse(rows({7, 0, 9}));
  EXPECT_EQ(dataset.images.shape(), (Shape{3, 3, 32, 32}));
  EXPECT_THAT(dataset.labels, testing::ElementsAre(7, 0, 9));
  const auto pixels = dataset.images.data<std::uint8_t>();
  EXPECT_EQ(pixels[0], 0);
  EXPECT_EQ(pixels[1024], 1);
  EXPECT_EQ(pixels[2 * 3072 + 2048], 4);
  EXPECT_EQ(pixels.back(), 4);
}

TEST(Cifar10, RefusesLabelsAboveNine) {
  EXPECT_EQ(message_of<InputError>([] {
              parse(rows({1, 10}));
            }),
            "[test] label of row 1, got 10, expected 0 to 9");
}

TEST(Cifar10, RefusesOtherSizes) {
  EXPECT_THROW(parse({}), InputError);
  auto bytes = rows({1, 2});
  bytes.push_back(std::byte{0});
  EXPECT_THROW(parse(bytes), InputError);
  expect_refuses_truncations(rows({1}), parse);
}

TEST(Cifar10, SurvivesChangedLabels) {
  for (int label = 0; label < 256; ++label) {
    if (label < 10) {
      EXPECT_EQ(parse(rows({label})).labels[0], label);
    } else {
      EXPECT_THROW(parse(rows({label})), InputError);
    }
  }
}

TEST(Cifar10, JoinsTheFiveBatches) {
  const Scratch scratch;
  for (int i = 1; i <= 4; ++i)
    write_file(scratch / ("data_batch_" + std::to_string(i) + ".bin"), rows({i, i}));
  EXPECT_FALSE(has_cifar10_set(scratch.path(), Part::train));
  EXPECT_THROW(read_cifar10_set(scratch.path(), Part::train), SystemError);
  write_file(scratch / "data_batch_5.bin", rows({5}));
  ASSERT_TRUE(has_cifar10_set(scratch.path(), Part::train));
  EXPECT_THAT(read_cifar10_set(scratch.path(), Part::train).labels,
              testing::ElementsAre(1, 1, 2, 2, 3, 3, 4, 4, 5));
  EXPECT_FALSE(has_cifar10_set(scratch.path(), Part::test));
  EXPECT_THROW(read_cifar10_set(scratch.path(), Part::test), SystemError);
}

TEST(Cifar10, ReadsTheShortTrainingFile) {
  const Scratch scratch;
  write_file(scratch / "data_batch_train10k.bin", rows({3, 4}));
  EXPECT_EQ(read_cifar10_set(scratch.path(), Part::train).size(), 2);
}

}  // namespace
}  // namespace halftone::data
