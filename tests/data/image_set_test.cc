// Pictures in folders and in lists.
#include "halftone/data/image_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/bytes.h"
#include "tests/data/damage.h"
#include "tests/data/pictures.h"
#include "tests/data/scratch.h"

namespace halftone::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Pictures of 2x2 of one grey, and options that keep their size.
struct Folder {
  Scratch scratch;
  ImageSetOptions options;

  Folder() {
    options.images = scratch.path() / "images";
    options.height = 2;
    options.width = 2;
    std::filesystem::create_directory(options.images);
  }
  void picture(const std::string& name, std::uint8_t grey, int side = 2) const {
    const std::filesystem::path path = options.images / name;
    std::filesystem::create_directories(path.parent_path());
    write_bytes(path, png(side, side, PNG_FORMAT_GRAY,
                          std::vector<std::uint8_t>(static_cast<std::size_t>(side * side), grey)));
  }
  void list(std::string_view text) {
    options.labels = scratch / "labels.txt";
    write_bytes(options.labels, bytes_of(text));
  }
  Dataset read() const { return read_image_set(options); }
};

// The grey of each picture.
std::vector<int> greys(const Dataset& dataset) {
  std::vector<int> result;
  const std::int64_t size = dataset.images.size() / dataset.images.dim(0);
  for (std::int64_t n = 0; n < dataset.images.dim(0); ++n)
    result.push_back(dataset.images.data<std::uint8_t>()[static_cast<std::size_t>(n * size)]);
  return result;
}

TEST(ImageSet, AListGivesOrderAndLabels) {
  Folder folder;
  folder.picture("b.png", 20);
  folder.picture("a.png", 10);
  folder.picture("deep/with space.png", 30);
  folder.list("b.png 3\r\n\na.png\t0\ndeep/with space.png,7");
  const Dataset set = folder.read();
  EXPECT_EQ(set.images.shape(), (Shape{3, 3, 2, 2}));
  EXPECT_EQ(set.images.dtype(), DType::uint8);
  EXPECT_THAT(greys(set), ElementsAre(20, 10, 30));
  EXPECT_THAT(set.labels, ElementsAre(3, 0, 7));
  EXPECT_EQ(set.classes, 8);
}

TEST(ImageSet, FoldersAreClassesInOrder) {
  Folder folder;
  folder.picture("n02/x.png", 20);
  folder.picture("n01/b.png", 11);
  folder.picture("n01/a.png", 10);
  folder.picture("n03/y.png", 30);
  folder.picture(".hidden/z.png", 40);
  folder.picture("n01/.hidden.png", 50);
  const Dataset set = folder.read();
  EXPECT_THAT(greys(set), ElementsAre(10, 11, 20, 30));
  EXPECT_THAT(set.labels, ElementsAre(0, 0, 1, 2));
  EXPECT_EQ(set.classes, 3);
}

TEST(ImageSet, ASampleIsSpreadEvenly) {
  Folder folder;
  std::string lines;
  for (int i = 0; i < 10; ++i) {
    folder.picture(std::to_string(i) + ".png", static_cast<std::uint8_t>(i));
    lines += std::to_string(i) + ".png " + std::to_string(i) + "\n";
  }
  folder.list(lines);
  folder.options.sample = 4;
  EXPECT_THAT(greys(folder.read()), ElementsAre(0, 2, 5, 7));
  folder.options.sample = 100;
  EXPECT_EQ(folder.read().size(), 10);
}

TEST(ImageSet, IsTheSameForAnyNumberOfThreads) {
  Folder folder;
  for (int i = 0; i < 9; ++i)
    folder.picture("c/" + std::to_string(i) + ".png", static_cast<std::uint8_t>(20 * i), 1 + i);
  const Dataset one = folder.read();
  folder.options.threads = 3;
  EXPECT_TRUE(folder.read().images == one.images);
}

TEST(ImageSet, PicturesOfAnotherSizeAreResized) {
  Folder folder;
  folder.picture("a.png", 77, 9);
  folder.list("a.png 0");
  const Dataset set = folder.read();
  EXPECT_EQ(set.images.shape(), (Shape{1, 3, 2, 2}));
  EXPECT_THAT(std::vector<std::uint8_t>(set.images.data<std::uint8_t>().begin(),
                                        set.images.data<std::uint8_t>().end()),
              testing::Each(77));
}

TEST(ImageSet, BadLinesAreRefusedByNumber) {
  Folder folder;
  folder.picture("a.png", 1);
  for (const char* line :
       {"a.png", "a.png x", "a.png -1", "a.png 1.5", "a.png 99999999999", "a.png 1x", " 5", "5"}) {
    folder.list(std::string("a.png 0\n") + line + "\n");
    EXPECT_THAT(message_of<InputError>([&] { folder.read(); }), HasSubstr("line 2")) << line;
  }
}

TEST(ImageSet, BytesOfALineThatAreNoTextDoNotReachTheMessage) {
  Folder folder;
  folder.list("\x1b[31m\x01");
  const std::string message = message_of<InputError>([&] { folder.read(); });
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

TEST(ImageSet, NothingToReadIsRefused) {
  Folder folder;
  EXPECT_THROW(folder.read(), InputError);
  folder.list("\n \n");
  EXPECT_THROW(folder.read(), InputError);
}

// A picture of 4x4, black but for its outer columns.
TEST(ImageSet, TheShortSideAndCuttingAreChosen) {
  Folder folder;
  std::vector<std::uint8_t> pixels(16, 0);
  for (std::size_t row = 0; row < 4; ++row) pixels[4 * row] = pixels[4 * row + 3] = 100;
  std::filesystem::create_directories(folder.options.images / "a");
  write_bytes(folder.options.images / "a" / "p.png", png(4, 4, PNG_FORMAT_GRAY, pixels));
  folder.options.resize = 4;
  EXPECT_THAT(greys(folder.read()), ElementsAre(0));  // the columns are cut off
  folder.options.resize = 0;
  folder.options.crop = false;
  EXPECT_GT(greys(folder.read()).at(0), 20);
  folder.options.resize = 4;
  EXPECT_THROW(folder.read(), UsageError);
  folder.options.crop = true;
  folder.options.resize = 1;
  EXPECT_THROW(folder.read(), UsageError);
}

TEST(ImageSet, MissingAndDamagedPicturesAreNamed) {
  Folder folder;
  folder.list("none.png 0");
  EXPECT_THAT(message_of<SystemError>([&] { folder.read(); }), HasSubstr("none.png"));
  write_bytes(folder.options.images / "none.png", bytes_of("no picture"));
  EXPECT_THAT(message_of<InputError>([&] { folder.read(); }), HasSubstr("none.png"));
  folder.options.labels = folder.scratch / "no list";
  EXPECT_THROW(folder.read(), SystemError);
  folder.options.labels.clear();
  folder.options.images = folder.scratch / "no folder";
  EXPECT_THROW(folder.read(), SystemError);
}

}  // namespace
}  // namespace halftone::data
