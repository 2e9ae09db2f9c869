// Pictures read and resized, and files that are none.
#include "halftone/data/image.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "tests/base/bytes.h"
#include "tests/data/damage.h"
#include "tests/data/pictures.h"
#include "tests/data/scratch.h"

namespace halftone::data {
namespace {

using testing::HasSubstr;

// The picture of `bytes`, through a file: pictures are read from files only.
struct Reader {
  Scratch scratch;
  Tensor operator()(std::span<const std::byte> bytes) const {
    write_bytes(scratch / "picture", bytes);
    return read_image(scratch / "picture");
  }
};

Tensor uint8s(Shape shape, const std::vector<std::uint8_t>& values) {
  return Tensor::from<std::uint8_t>(std::move(shape), values);
}

std::vector<std::uint8_t> counting(std::size_t size, int step = 7) {
  std::vector<std::uint8_t> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<std::uint8_t>(static_cast<int>(i) * step);
  return values;
}

TEST(Png, RedGreenAndBlueArePlanes) {
  const Bytes file = png(2, 1, PNG_FORMAT_RGB, {1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(Reader()(file) == uint8s({3, 1, 2}, {1, 4, 2, 5, 3, 6}));
}

TEST(Png, GreyIsTripled) {
  const Bytes file = png(3, 1, PNG_FORMAT_GRAY, {0, 100, 255});
  EXPECT_TRUE(Reader()(file) == uint8s({3, 1, 3}, {0, 100, 255, 0, 100, 255, 0, 100, 255}));
}

TEST(Png, OpaqueAlphaChangesNothing) {
  EXPECT_TRUE(Reader()(png(2, 1, PNG_FORMAT_RGBA, {1, 2, 3, 255, 4, 5, 6, 255})) ==
              uint8s({3, 1, 2}, {1, 4, 2, 5, 3, 6}));
  EXPECT_TRUE(Reader()(png(1, 1, PNG_FORMAT_GA, {9, 255})) == uint8s({3, 1, 1}, {9, 9, 9}));
}

TEST(Png, SixteenBitsKeepTheirEnds) {
  const Bytes file = png16(3, 1, PNG_COLOR_TYPE_GRAY, {0, 0, 0x80, 0x80, 0xff, 0xff});
  const Tensor image = Reader()(file);
  ASSERT_EQ(image.shape(), (Shape{3, 1, 3}));
  EXPECT_EQ(image.data<std::uint8_t>()[0], 0);
  EXPECT_NEAR(image.data<std::uint8_t>()[1], 0x80, 70);  // what libpng makes of another gamma
  EXPECT_EQ(image.data<std::uint8_t>()[2], 255);
}

RC_GTEST_PROP(Png, EverySampleComesBack, ()) {
  const int width = *rc::gen::inRange(1, 20), height = *rc::gen::inRange(1, 20);
  const auto samples = *rc::gen::container<std::vector<std::uint8_t>>(
      static_cast<std::size_t>(3 * width * height), rc::gen::arbitrary<std::uint8_t>());
  const Tensor image = Reader()(png(width, height, PNG_FORMAT_RGB, samples));
  const auto area = static_cast<std::size_t>(width * height);
  for (std::size_t i = 0; i < samples.size(); ++i)
    RC_ASSERT(image.data<std::uint8_t>()[i % 3 * area + i / 3] == samples[i]);
}

TEST(Png, TruncatedFilesAreRefused) {
  const Bytes file = png(5, 4, PNG_FORMAT_RGB, counting(60));
  const Reader read;
  // Without the end chunk (12 bytes) the picture is whole; libpng may take it.
  expect_refuses_truncations(std::span(file).first(file.size() - 12), read);
  for (std::size_t length = file.size() - 12; length < file.size(); ++length)
    expect_survives(std::span(file).first(length), read);
}

TEST(Png, ChangedBytesAreSurvived) {
  expect_survives_changes(png(3, 2, PNG_FORMAT_RGB, counting(18)), Reader());
}

TEST(Jpeg, IsNearTheColoursPutIn) {
  std::vector<std::uint8_t> samples;
  for (int i = 0; i < 16 * 8; ++i) samples.insert(samples.end(), {200, 100, 50});
  const Tensor image = Reader()(jpeg(16, 8, 3, samples));
  ASSERT_EQ(image.shape(), (Shape{3, 8, 16}));
  for (std::size_t i = 0; i < samples.size(); ++i)
    EXPECT_NEAR(image.data<std::uint8_t>()[i], (std::array{200, 100, 50})[i / 128], 2);
}

TEST(Jpeg, GreyIsTripled) {
  const Tensor image = Reader()(jpeg(8, 8, 1, counting(64, 3)));
  ASSERT_EQ(image.shape(), (Shape{3, 8, 8}));
  for (std::size_t i = 0; i < 64; ++i) {
    EXPECT_NEAR(image.data<std::uint8_t>()[i], static_cast<int>(3 * i), 2);
    EXPECT_EQ(image.data<std::uint8_t>()[64 + i], image.data<std::uint8_t>()[i]);
    EXPECT_EQ(image.data<std::uint8_t>()[128 + i], image.data<std::uint8_t>()[i]);
  }
}

TEST(Jpeg, TruncatedFilesAreRefused) {
  const Bytes file = jpeg(9, 9, 3, counting(243));
  const Reader read;
  // The mark of the end is two bytes; the data may be whole without it.
  expect_refuses_truncations(std::span(file).first(file.size() - 3), read);
  for (std::size_t length = file.size() - 3; length < file.size(); ++length)
    expect_survives(std::span(file).first(length), read);
}

TEST(Jpeg, ChangedBytesAreSurvived) { expect_survives_changes(jpeg(4, 4, 1, counting(16)), Reader()); }

// Each scan costs a pass over the whole picture.
TEST(Jpeg, ScansAreCounted) {
  const Reader read;
  EXPECT_TRUE(read(jpeg_of_scans(16, 100)) == read(jpeg_of_scans(16, 4)));
  for (int scans : {101, 5000})
    EXPECT_THAT(message_of<InputError>([&] { read(jpeg_of_scans(16, scans)); }), HasSubstr("damaged JPEG (more than 100 scans)"));
}

// Doubles of the whole picture, resized along one side and then along the other: what resizing row by row has to give, bit
// for bit.
Tensor resized_at_once(const Tensor& image, std::int64_t height, std::int64_t width) {
  const auto filters = [](std::int64_t from, std::int64_t to, std::int64_t o) {
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const double support = std::max(scale, 1.0);
    const double centre = (static_cast<double>(o) + 0.5) * scale;
    Filter filter{.first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(centre - support + 0.5)))};
    const auto last = std::min(from, static_cast<std::int64_t>(std::floor(centre + support + 0.5)));
    double sum = 0.0;
    for (std::int64_t i = filter.first; i < last; ++i) {
      filter.weights.push_back(std::max(0.0, 1.0 - std::fabs(static_cast<double>(i) + 0.5 - centre) / support));
      sum += filter.weights.back();
    }
    for (double& weight : filter.weights) weight /= sum;
    return filter;
  };
  const auto along = [&](const std::vector<double>& in, std::int64_t lines, std::int64_t from, std::int64_t to) {
    std::vector<double> out;
    for (std::int64_t c = 0; c < 3; ++c)
      for (std::int64_t o = 0; o < to; ++o)
        for (std::int64_t line = 0; line < lines; ++line) {
          const Filter filter = filters(from, to, o);
          double sum = 0.0;
          for (std::size_t i = 0; i < filter.weights.size(); ++i)
            sum += filter.weights[i] * in[static_cast<std::size_t>((c * lines + line) * from + filter.first) + i];
          out.push_back(sum);
        }
    return out;
  };
  const auto pixels = image.data<std::uint8_t>();
  const std::vector<double> wide(pixels.begin(), pixels.end());
  std::vector<std::uint8_t> rounded;
  for (double v : along(along(wide, image.dim(1), image.dim(2), width), width, image.dim(1), height))
    rounded.push_back(static_cast<std::uint8_t>(std::clamp(std::floor(v + 0.5), 0.0, 255.0)));
  return uint8s({3, height, width}, rounded);
}

RC_GTEST_PROP(Resize, RowByRowIsTheSameAsAtOnce, ()) {
  const auto side = [] { return static_cast<std::int64_t>(*rc::gen::inRange(1, 40)); };
  const std::int64_t h = side();
  const std::int64_t w = side();
  const std::int64_t height = side();
  const std::int64_t width = side();
  const Tensor image = uint8s({3, h, w}, *rc::gen::container<std::vector<std::uint8_t>>(
                                             static_cast<std::size_t>(3 * h * w), rc::gen::arbitrary<std::uint8_t>()));
  RC_ASSERT(resize(image, height, width) == resized_at_once(image, height, width));
}

TEST(Image, OtherFilesAreRefusedAndMissingOnesNotFound) {
  const Reader read;
  EXPECT_THROW(read({}), InputError);
  EXPECT_THROW(read(bytes_of("GIF89a")), InputError);
  EXPECT_THROW(read(bytes_of("\x89PNG")), InputError);
  EXPECT_THROW(read(bytes_of("\xff\xd8")), InputError);
  EXPECT_THROW(read_image(read.scratch / "none.png"), SystemError);
}

RC_GTEST_PROP(Resize, AConstantPictureStaysConstant, (std::uint8_t value)) {
  const std::int64_t h = *rc::gen::inRange(1, 30), w = *rc::gen::inRange(1, 30);
  const std::int64_t height = *rc::gen::inRange(1, 20), width = *rc::gen::inRange(1, 20);
  const std::int64_t side = *rc::gen::inRange(1, 25);
  Tensor image(DType::uint8, {3, h, w});
  for (std::uint8_t& v : image.mutable_data<std::uint8_t>()) v = value;
  const Tensor resized = resize_and_crop(image, side, height, width);
  RC_ASSERT(resized.shape() == (Shape{3, height, width}));
  for (std::uint8_t v : resized.data<std::uint8_t>()) RC_ASSERT(v == value);
}

RC_GTEST_PROP(Resize, ToItsOwnSizeIsTheSamePicture, ()) {
  const std::int64_t h = *rc::gen::inRange(1, 20), w = *rc::gen::inRange(1, 20);
  const Tensor image =
      uint8s({3, h, w}, *rc::gen::container<std::vector<std::uint8_t>>(static_cast<std::size_t>(3 * h * w),
                                                                       rc::gen::arbitrary<std::uint8_t>()));
  RC_ASSERT(resize_and_crop(image, std::min(h, w), h, w) == image);
}

TEST(Resize, CutsTheCentre) {
  const Tensor image = uint8s({3, 1, 5}, counting(15, 1));
  EXPECT_TRUE(resize_and_crop(image, 1, 1, 3) == uint8s({3, 1, 3}, {1, 2, 3, 6, 7, 8, 11, 12, 13}));
}

TEST(Resize, AveragesWhereItShrinks) {
  const Tensor image = uint8s({3, 2, 2}, {0, 100, 100, 200, 8, 8, 8, 8, 255, 255, 0, 0});
  EXPECT_TRUE(resize_and_crop(image, 1, 1, 1) == uint8s({3, 1, 1}, {100, 8, 128}));
}

// Centres of the doubled pixels lie a quarter from those they are made of.
TEST(Resize, InterpolatesWhereItGrows) {
  const Tensor image = uint8s({3, 1, 2}, {0, 100, 0, 100, 0, 100});
  EXPECT_TRUE(resize_and_crop(image, 2, 1, 4) ==
              uint8s({3, 1, 4}, {0, 25, 75, 100, 0, 25, 75, 100, 0, 25, 75, 100}));
}

TEST(Resize, WithoutCuttingKeepsTheWholePicture) {
  const Tensor image = uint8s({3, 1, 4}, {0, 100, 20, 40, 0, 0, 0, 0, 8, 8, 10, 10});
  EXPECT_TRUE(resize(image, 1, 4) == image);
  EXPECT_TRUE(resize(image, 2, 1) == resize(resize(image, 2, 4), 2, 1));
  EXPECT_EQ(resize(image, 1, 1).data<std::uint8_t>()[3 - 1], 9);
}

// Turning the picture turns the result.
RC_GTEST_PROP(Resize, RowsAndColumnsAreTreatedAlike, ()) {
  const std::int64_t h = *rc::gen::inRange(1, 12), w = *rc::gen::inRange(1, 12);
  const std::int64_t side = *rc::gen::inRange(1, 12), size = *rc::gen::inRange(1, 12);
  const Tensor image =
      uint8s({3, h, w}, *rc::gen::container<std::vector<std::uint8_t>>(static_cast<std::size_t>(3 * h * w),
                                                                       rc::gen::arbitrary<std::uint8_t>()));
  const auto turned = [](const Tensor& x) {
    Tensor y(DType::uint8, {3, x.dim(2), x.dim(1)});
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const std::int64_t c = i / (x.dim(1) * x.dim(2)), r = i / x.dim(2) % x.dim(1), col = i % x.dim(2);
      y.mutable_data<std::uint8_t>()[static_cast<std::size_t>((c * x.dim(2) + col) * x.dim(1) + r)] =
          x.data<std::uint8_t>()[static_cast<std::size_t>(i)];
    }
    return y;
  };
  const Tensor a = turned(resize_and_crop(image, side, size, size));
  const Tensor b = resize_and_crop(turned(image), side, size, size);
  for (std::size_t i = 0; i < static_cast<std::size_t>(a.size());
       ++i)  // sums in another order may round apart
    RC_ASSERT(std::abs(int{a.data<std::uint8_t>()[i]} - int{b.data<std::uint8_t>()[i]}) <= 1);
}

}  // namespace
}  // namespace halftone::data
