#include "halftone/data/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/data/digits.h"
#include "halftone/data/idx.h"
#include "halftone/data/idx_set.h"
#include "halftone/data/npz.h"
#include "tests/data/damage.h"
#include "tests/data/scratch.h"

namespace halftone::data {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

Tensor labels(std::initializer_list<std::int32_t> values) {
  return Tensor::from<std::int32_t>({static_cast<std::int64_t>(values.size())},
                                    std::vector<std::int32_t>(values));
}

std::string npz(const Scratch& scratch, const NamedTensors& entries) {
  write_npz(scratch / "set.npz", entries);
  return (scratch / "set.npz").string();
}

TEST(LoadSpec, SplitsNameAndPart) {
  EXPECT_EQ(parse_source("mnist").name, "mnist");
  EXPECT_EQ(parse_source("mnist").part, std::nullopt);
  EXPECT_EQ(parse_source("mnist:train").name, "mnist");
  EXPECT_EQ(parse_source("mnist:train").part, Part::train);
  EXPECT_EQ(parse_source("a:b/c.npz:test").name, "a:b/c.npz");
  EXPECT_EQ(parse_source("a:b/c.npz:test").part, Part::test);
  EXPECT_EQ(parse_source("mnist:valid").name, "mnist:valid");
}

TEST(Load, DigitsAreBuiltIn) {
  EXPECT_TRUE(available("digits"));
  EXPECT_EQ(load("digits", Part::test).size(), 4000);
  EXPECT_EQ(load("digits:train", Part::test).images, make_digits(Part::train).images);
}

TEST(Load, UnknownNamesAreUsageErrors) {
  EXPECT_EQ(message_of<UsageError>([] { load("nmist", Part::test); }),
            "[data set] unknown name, got 'nmist', expected digits, mnist, fashion-mnist, cifar10, a "
            "directory or a "
            ".npz file");
  EXPECT_THROW(load("mnist:valid", Part::test), UsageError);
  EXPECT_THROW(load("", Part::test), UsageError);
  EXPECT_FALSE(available("nmist"));
}

TEST(Load, MissingPathsAreSystemErrors) {
  EXPECT_THROW(load("no/such/directory", Part::test), SystemError);
  EXPECT_THROW(load("no-such.npz", Part::test), SystemError);
  const Scratch empty;
  EXPECT_THROW(load(empty.path().string(), Part::test), SystemError);
  EXPECT_FALSE(available(empty.path().string()));
}

TEST(Load, MissingSetNamesPlacesAndScript) {
  const Scratch empty;
  const ScopedDataRoot root(empty.path());
  const fs::path before = fs::current_path();
  fs::current_path(empty.path());
  EXPECT_FALSE(available("mnist"));
  const std::string message = message_of<SystemError>([] { load("mnist", Part::train); });
  fs::current_path(before);
  EXPECT_EQ(message, "[mnist] no train files in " + (empty / "mnist").string() +
                         ", data/mnist, ../shared/data/mnist; `scripts/fetch-data mnist` downloads them");
}

TEST(Load, FindsIdxSetsUnderTheDataRoot) {
  const Scratch scratch;
  const ScopedDataRoot root(scratch.path());
  fs::create_directory(scratch / "fashion-mnist");
  const Dataset written = make_digits(Part::test, 30);
  write_idx_set(scratch / "fashion-mnist", Part::test, written);
  EXPECT_TRUE(available("fashion-mnist:test"));
  const Dataset read = load("fashion-mnist", Part::test);
  EXPECT_EQ(read.name, "fashion-mnist");
  EXPECT_EQ(read.images, written.images);
  EXPECT_EQ(read.labels, written.labels);
  EXPECT_EQ(read.classes, 10);
}

TEST(Load, ReadsADirectoryWithDottedNames) {
  const Scratch scratch;
  const Dataset written = make_digits(Part::train, 10);
  write_idx_set(scratch.path(), Part::train, written);
  fs::rename(scratch / "train-images-idx3-ubyte", scratch / "train-images.idx3-ubyte");
  fs::rename(scratch / "train-labels-idx1-ubyte", scratch / "train-labels.idx1-ubyte");
  const Dataset read = load(scratch.path().string() + "/", Part::train);
  EXPECT_EQ(read.images, written.images);
  EXPECT_EQ(read.name, scratch.path().filename().string());
  EXPECT_FALSE(available(scratch.path().string(), Part::test));
  EXPECT_THROW(load(scratch.path().string() + ":test", Part::train), SystemError);
}

TEST(Load, RefusesIdxSetsThatDoNotFit) {
  const Scratch scratch;
  const auto spec = scratch.path().string();
  write_idx_set(scratch.path(), Part::test, make_digits(Part::test, 10));
  const auto labels_path = scratch / "t10k-labels-idx1-ubyte";
  write_idx(labels_path, Tensor(DType::uint8, {9}));
  EXPECT_THAT(message_of<InputError>([&] { load(spec, Part::test); }),
              HasSubstr("number of labels, got 9, expected 10"));
  write_idx(labels_path, Tensor::from<std::uint8_t>({10}, std::vector<std::uint8_t>(10, 10)));
  EXPECT_THAT(message_of<InputError>([&] { load(spec, Part::test); }), HasSubstr("label of row 0, got 10"));
  write_idx(labels_path, Tensor(DType::uint8, {10, 1, 1}));
  EXPECT_THAT(message_of<InputError>([&] { load(spec, Part::test); }), HasSubstr("got that of images"));
}

TEST(Load, WritesOnlyGreyIdxSets) {
  const Scratch scratch;
  EXPECT_THROW(write_idx_set(scratch.path(), Part::test, {"", Tensor(DType::uint8, {1, 3, 2, 2}), {0}, 10}),
               UsageError);
  EXPECT_THROW(write_idx_set(scratch.path(), Part::test, {"", Tensor(DType::float32, {1, 1, 2, 2}), {0}, 10}),
               UsageError);
}

TEST(Load, NpzOfXAndYServesEitherPart) {
  const Scratch scratch;
  const auto spec = npz(scratch, {{"x", Tensor(DType::float32, {3, 2})}, {"y", labels({0, 4, 2})}});
  for (Part part : {Part::train, Part::test}) {
    const Dataset dataset = load(spec, part);
    EXPECT_EQ(dataset.name, "set");
    EXPECT_EQ(dataset.images.dtype(), DType::float32);
    EXPECT_THAT(dataset.labels, ElementsAre(0, 4, 2));
    EXPECT_EQ(dataset.classes, 5);
  }
  EXPECT_THROW(load(spec + ":test", Part::train), InputError);
}

TEST(Load, NpzOfTwoPartsCountsClassesOverBoth) {
  const Scratch scratch;
  const auto spec = npz(scratch, {{"x_train", Tensor(DType::uint8, {2, 4, 5})},
                                  {"y_train", labels({0, 7})},
                                  {"x_test", Tensor(DType::uint8, {1, 4, 5})},
                                  {"y_test", labels({1}).reshaped({1, 1})}});
  EXPECT_EQ(load(spec, Part::train).images.shape(), (Shape{2, 1, 4, 5}));
  EXPECT_THAT(load(spec + ":test", Part::train).labels, ElementsAre(1));
  EXPECT_EQ(load(spec, Part::test).classes, 8);
}

TEST(Load, RefusesNpzThatIsNoDataset) {
  const Scratch scratch;
  const Tensor x(DType::uint8, {2, 3});
  const auto refuses = [&](const NamedTensors& entries) {
    const auto spec = npz(scratch, entries);
    EXPECT_THROW(load(spec, Part::test), InputError);
  };
  refuses({});
  refuses({{"x", x}});
  refuses({{"y", labels({0, 1})}});
  refuses({{"x", x}, {"y", labels({0})}});
  refuses({{"x", x}, {"y", labels({0, -1})}});
  refuses({{"x", x}, {"y", labels({0, 1 << 20})}});
  refuses({{"x", x}, {"y", Tensor(DType::float32, {2})}});
  refuses({{"x", x.cast(DType::int32)}, {"y", labels({0, 1})}});
  refuses({{"x", Tensor(DType::uint8, {2})}, {"y", labels({0, 1})}});
  refuses({{"x", Tensor(DType::uint8, {0, 4})}, {"y", labels({})}});
  write_file(scratch / "set.npz", std::string_view("not an archive"));
  EXPECT_THROW(load((scratch / "set.npz").string(), Part::test), InputError);
  write_file(scratch / "set.bin", std::string_view("?"));
  EXPECT_THROW(load((scratch / "set.bin").string(), Part::test), UsageError);
}

class RealData : public testing::Test {
 protected:
  RealData() : root_(HALFTONE_SHARED_DATA) {}

  bool has(std::string_view name) {
    return available((root_ / name).string() + ":train") && available((root_ / name).string() + ":test");
  }
  std::string spec(std::string_view name) const { return (root_ / name).string(); }

  fs::path root_;
};

TEST_F(RealData, MnistLabelsPerClass) {
  if (!has("mnist")) GTEST_SKIP() << "no MNIST in " << root_ << "; scripts/fetch-data mnist downloads it";
  const Dataset train = load(spec("mnist"), Part::train);
  const Dataset test = load(spec("mnist"), Part::test);
  EXPECT_EQ(train.images.shape(), (Shape{60000, 1, 28, 28}));
  EXPECT_EQ(test.images.shape(), (Shape{10000, 1, 28, 28}));
  EXPECT_THAT(class_counts(train), ElementsAre(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949));
  EXPECT_THAT(class_counts(test), ElementsAre(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009));
}

TEST_F(RealData, FashionMnistIsBalanced) {
  if (!has("fashion-mnist")) GTEST_SKIP() << "no Fashion-MNIST in " << root_;
  EXPECT_THAT(class_counts(load(spec("fashion-mnist"), Part::train)), testing::Each(6000));
  EXPECT_THAT(class_counts(load(spec("fashion-mnist"), Part::test)), testing::Each(1000));
}

TEST_F(RealData, Cifar10TestIsBalancedAndItsMeansAreKnown) {
  if (!has("cifar10")) GTEST_SKIP() << "no CIFAR-10 in " << root_;
  const Dataset test = load(spec("cifar10"), Part::test);
  EXPECT_EQ(test.images.shape(), (Shape{10000, 3, 32, 32}));
  EXPECT_THAT(class_counts(test), testing::Each(1000));
  double red = 0;
  const auto pixels = test.images.data<std::uint8_t>();
  for (std::size_t i = 0; i < pixels.size(); ++i) red += i % 3072 < 1024 ? pixels[i] : 0;
  EXPECT_NEAR(red / 255 / (10000 * 1024), 0.4914, 0.01);
}

}  // namespace
}  // namespace halftone::data
