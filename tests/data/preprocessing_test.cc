#include "halftone/data/preprocessing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "tests/data/damage.h"

namespace halftone::data {
namespace {

// Every byte once in each of `channels` planes of 16x16.
Tensor all_pixels(std::int64_t channels) {
  Tensor images(DType::uint8, {1, channels, 16, 16});
  auto data = images.mutable_data<std::uint8_t>();
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i % 256);
  return images;
}

TEST(Preprocessing, RawIsThePixel) {
  const Tensor values = apply(preset("raw"), all_pixels(1));
  EXPECT_EQ(values.dtype(), DType::float32);
  EXPECT_EQ(values.shape(), (Shape{1, 1, 16, 16}));
  for (std::size_t p = 0; p < 256; ++p) EXPECT_EQ(values.data<float>()[p], static_cast<float>(p));
}

TEST(Preprocessing, MnistDividesExactly) {
  const Tensor values = apply(preset("mnist"), all_pixels(1));
  for (std::size_t p = 0; p < 256; ++p) EXPECT_EQ(values.data<float>()[p], static_cast<float>(p) / 255.0f);
}

TEST(Preprocessing, ChannelsHaveTheirOwnNumbers) {
  const Tensor values = apply(preset("imagenet"), all_pixels(3));
  const float mean[] = {0.485f, 0.456f, 0.406f};
  const float deviation[] = {0.229f, 0.224f, 0.225f};
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t p = 0; p < 256; ++p)
      EXPECT_EQ(values.data<float>()[256 * c + p], (static_cast<float>(p) / 255.0f - mean[c]) / deviation[c]);
}

TEST(Preprocessing, TfCentresAt128) {
  const Tensor values = apply(preset("tf"), all_pixels(3));
  EXPECT_EQ(values.data<float>()[128], 0);
  for (int p = 0; p < 256; ++p)
    EXPECT_NEAR(values.data<float>()[static_cast<std::size_t>(512 + p)], (p - 128) * 0.00787402, 1.2e-7);
}

TEST(Preprocessing, SeveralImagesKeepTheirOrder) {
  Tensor images(DType::uint8, {3, 3, 1, 2});
  auto data = images.mutable_data<std::uint8_t>();
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(10 * i);
  const Preprocessing p{.name = "p", .divisor = 2, .mean = {1, 2, 3}, .std = {1, 2, 4}};
  const Tensor values = apply(p, images);
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::size_t c = i / 2 % 3;
    EXPECT_EQ(values.data<float>()[i], (static_cast<float>(10 * i) / 2 - p.mean[c]) / p.std[c]);
  }
}

TEST(Preprocessing, FloatImagesPassOnlyWhenNothingChanges) {
  const Tensor images = Tensor::from<float>({1, 2}, std::vector<float>{0.5f, -3});
  EXPECT_EQ(apply(preset("raw"), images), images);
  EXPECT_THROW(apply(preset("mnist"), images), UsageError);
  EXPECT_THROW(apply(preset("raw"), images.cast(DType::float64)), UsageError);
}

TEST(Preprocessing, RefusesOtherChannelCounts) {
  EXPECT_EQ(message_of<UsageError>([] { apply(preset("cifar10"), all_pixels(1)); }),
            "[preprocessing] images for 'cifar10', got shape 1x1x16x16, expected rows of 3 channels");
  EXPECT_THROW(apply(preset("raw"), Tensor(DType::uint8, {4})), UsageError);
  EXPECT_EQ(apply(preset("cifar10"), Tensor(DType::uint8, {0, 3, 4, 4})).shape(), (Shape{0, 3, 4, 4}));
}

TEST(Preprocessing, UnknownPresetListsTheKnown) {
  EXPECT_EQ(message_of<UsageError>([] { preset("caffe"); }),
            "[preprocessing] unknown preset, got 'caffe', expected one of raw, mnist, cifar10, imagenet, tf");
}

TEST(Preprocessing, DefaultsByDataset) {
  EXPECT_EQ(default_preset("mnist").name, "mnist");
  EXPECT_EQ(default_preset("fashion-mnist").name, "mnist");
  EXPECT_EQ(default_preset("digits").name, "mnist");
  EXPECT_EQ(default_preset("cifar10").name, "cifar10");
  EXPECT_EQ(default_preset("anything").name, "raw");
}

TEST(Preprocessing, TextIsStable) {
  EXPECT_EQ(encode(preset("cifar10")),
            "name=cifar10 divisor=255 mean=0.4914,0.4822,0.4465 std=0.247,0.2435,0.2616");
  for (std::string_view name : preset_names()) EXPECT_EQ(decode(encode(preset(name))), preset(name));
}

TEST(Preprocessing, RefusesOtherText) {
  for (std::string_view text : {"",
                                "raw",
                                "name=raw",
                                "name=raw divisor=1 mean=0",
                                "name=raw divisor=1 mean=0 std=",
                                "name=raw divisor=1 mean=0 std=0",
                                "name=raw divisor=1 mean=0 std=-1",
                                "name=raw divisor=0 mean=0 std=1",
                                "name=raw divisor=nan mean=0 std=1",
                                "name=raw divisor=1 mean=inf std=1",
                                "name=raw divisor=1 mean=1e99 std=1",
                                "name=raw divisor=1 mean=0,0 std=1",
                                "name=raw divisor=1,2 mean=0 std=1",
                                "name=raw divisor=1 mean=0, std=1,",
                                "name=raw divisor=1 mean=0 std=1 more=2",
                                "name=raw divisor=1 mean=0 std=1 ,",
                                "name= divisor=1 mean=0 std=1",
                                "name=a\nb divisor=1 mean=0 std=1",
                                "mean=0 name=raw divisor=1 std=1",
                                "name=raw  divisor=1 mean=0 std=1",
                                "name=raw divisor=1 mean=0x1 std=1",
                                "name=raw divisor=1 mean=0 std=inf"})
    EXPECT_THROW(decode(text), InputError) << text;
  EXPECT_THROW(decode("name=raw divisor=1 mean=" + std::string(100000, '0') + " std=1"), InputError);
}

TEST(Preprocessing, RefusesToEncodeWhatItWouldNotDecode) {
  EXPECT_THROW(encode({.name = "two words"}), UsageError);
  EXPECT_THROW(encode({.name = "x", .divisor = 0}), UsageError);
  EXPECT_THROW(encode({.name = "x", .mean = {}, .std = {}}), UsageError);
  EXPECT_THROW(encode({.name = "x", .mean = {1, 2}, .std = {1}}), UsageError);
  EXPECT_THROW(encode({.name = "x", .std = {std::numeric_limits<float>::infinity()}}), UsageError);
}

TEST(Preprocessing, SurvivesDamagedText) {
  const std::string text = encode(preset("imagenet"));
  const auto parse = [](std::span<const std::byte> bytes) {
    decode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  };
  expect_survives_changes(std::as_bytes(std::span(text)), parse);
}

float positive_float() {
  return *rc::gen::suchThat(
      rc::gen::map(rc::gen::arbitrary<std::uint32_t>(),
                   [](std::uint32_t bits) { return std::bit_cast<float>(bits & 0x7fffffff); }),
      [](float v) { return std::isfinite(v) && v > 0; });
}

RC_GTEST_PROP(PreprocessingProperty, TextRoundTripsExactly, ()) {
  Preprocessing p{.name = "any", .divisor = positive_float(), .mean = {}, .std = {}};
  const int channels = *rc::gen::inRange(1, 6);
  for (int c = 0; c < channels; ++c) {
    p.mean.push_back(*rc::gen::element(1.0f, -1.0f) * positive_float());
    p.std.push_back(positive_float());
  }
  RC_ASSERT(decode(encode(p)) == p);
}

TEST(Preprocessing, DescribesItsFormula) {
  EXPECT_EQ(describe(preset("raw")), "raw: p");
  EXPECT_EQ(describe(preset("mnist")), "mnist: p / 255");
  EXPECT_EQ(describe(preset("imagenet")), "imagenet: (p / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]");
  EXPECT_EQ(describe({.name = "a", .mean = {128}}), "a: p - 128");
  EXPECT_EQ(describe({.name = "b", .std = {2}}), "b: p / 2");
  EXPECT_EQ(describe({.name = "c", .divisor = 2, .std = {4}}), "c: (p / 2) / 4");
}

TEST(Preprocessing, ComparesNumbersAndNoNames) {
  const Preprocessing one{.name = "one", .divisor = 255, .mean = {0.5F}, .std = {2}};
  EXPECT_TRUE(same_numbers(one, {.name = "same", .divisor = 255, .mean = {0.5F, 0.5F, 0.5F}, .std = {2, 2, 2}}));
  EXPECT_FALSE(same_numbers(one, {.name = "one", .divisor = 255, .mean = {0.5F, 0.5F, 0.25F}, .std = {2, 2, 2}}));
  EXPECT_TRUE(same_numbers(preset("mnist"), {.name = "other", .std = {255}}));
  EXPECT_FALSE(same_numbers(one, {.name = "one", .divisor = 1, .mean = {0.5F}, .std = {2}}));
  for (std::string_view a : preset_names())
    for (std::string_view b : preset_names()) EXPECT_EQ(same_numbers(preset(a), preset(b)), a == b) << a << b;
}

}  // namespace
}  // namespace halftone::data
