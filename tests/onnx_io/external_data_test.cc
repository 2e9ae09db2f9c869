// Tensors in files beside the model: read as they are meant, refused as an attacker would use them.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "halftone/base/file.h"
#include "halftone/onnx_io/save.h"
#include "tests/base/scratch.h"
#include "tests/ir/tensors.h"
#include "tests/onnx_io/protos.h"

namespace halftone::onnx_io {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

using Entries = std::vector<std::pair<std::string, std::string>>;

// y = x w with a w of 2x1 elsewhere.
Model gemm_with(const Entries& entries) {
  Model model;
  model.input("x", {0, 2});
  onnx::TensorProto& w = model.initializer("w", {2, 1}, {});
  w.set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : entries) {
    auto* entry = w.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  model.node("Gemm", {"x", "w"}, {"y"});
  return std::move(model.output("y"));
}

std::string floats_as_text(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

class ExternalDataTest : public testing::Test {
 protected:
  const Scratch scratch_;

  std::filesystem::path write(const Model& model) const {
    std::filesystem::create_directories(scratch_ / "model");
    write_file(scratch_ / "model/m.onnx", model.proto.SerializeAsString());
    return scratch_ / "model/m.onnx";
  }
  ir::Graph load(const Entries& entries) const { return load_model(write(gemm_with(entries))); }
  // The message that refuses it.
  std::string refusal(const Entries& entries) const {
    return message_of<InputError>([&] { load(entries); });
  }
  void weights(const std::string& content, const std::string& name = "w.bin") const {
    std::filesystem::create_directories((scratch_ / "model" / name).parent_path());
    write_file(scratch_ / "model" / name, content);
  }
};

TEST_F(ExternalDataTest, OffsetAndLengthSelectTheBytes) {
  weights("12345678" + floats_as_text({3, 4}) + "rest");
  const ir::Graph graph = load({{"location", "w.bin"}, {"offset", "8"}, {"length", "8"}, {"checksum", "?"}});
  EXPECT_TRUE(ir::run(graph, {ir::floats({1, 2}, {1, 2})}) == ir::floats({1, 1}, {11}));
}

TEST_F(ExternalDataTest, WithoutThemItIsTheWholeFile) {
  weights(floats_as_text({3, 4}), "sub/w.bin");
  EXPECT_TRUE(*load({{"location", "sub/w.bin"}}).constant(0) == ir::floats({2, 1}, {3, 4}));
  EXPECT_TRUE(*load({{"location", "./sub/w.bin"}}).constant(0) == ir::floats({2, 1}, {3, 4}));
  weights(floats_as_text({3, 4, 5}), "sub/w.bin");
  EXPECT_THAT(refusal({{"location", "sub/w.bin"}}), AllOf(HasSubstr("12 bytes"), HasSubstr("expected 8")));
  EXPECT_NO_THROW(load({{"location", "sub/w.bin"}, {"offset", "4"}}));
}

TEST_F(ExternalDataTest, AMissingFileIsOneErrorThatNamesTensorAndFile) {
  EXPECT_THAT(refusal({{"location", "gone.bin"}}),
              AllOf(HasSubstr("'w'"), HasSubstr("'gone.bin'"), HasSubstr("No such file")));
  EXPECT_THAT(refusal({}), AllOf(HasSubstr("'w'"), HasSubstr("location")));
  EXPECT_THAT(refusal({{"location", ""}}), HasSubstr("location"));
}

TEST_F(ExternalDataTest, PathsOutOfTheFolderAreRefused) {
  weights(floats_as_text({3, 4}));
  write_file(scratch_ / "secret", floats_as_text({3, 4}));
  std::filesystem::create_symlink("../secret", scratch_ / "model/link");
  std::filesystem::create_symlink("..", scratch_ / "model/up");
  std::filesystem::create_symlink("loop", scratch_ / "model/loop");
  for (const std::string& location :
       {std::string("../secret"), std::string("sub/../../secret"), std::string("../model/w.bin"),
        (scratch_ / "secret").string(), (scratch_ / "model/w.bin").string(), std::string("/dev/zero"),
        std::string("link"), std::string("up/secret"), std::string("loop"), std::string("..\\secret"),
        std::string("w.bin\0x", 7), std::string("."), std::string("/"), std::string("..")})
    EXPECT_THAT(refusal({{"location", location}}), HasSubstr("'w'")) << location;
}

TEST_F(ExternalDataTest, LinksInsideTheFolderAreFollowed) {
  weights(floats_as_text({3, 4}));
  std::filesystem::create_symlink("w.bin", scratch_ / "model/link");
  EXPECT_NO_THROW(load({{"location", "link"}}));
}

TEST_F(ExternalDataTest, WhatIsNoRegularFileIsRefusedWithoutWaiting) {
  write(gemm_with({}));
  ASSERT_EQ(::mkfifo((scratch_ / "model/pipe").c_str(), 0600), 0);
  EXPECT_THAT(refusal({{"location", "pipe"}}), HasSubstr("regular file"));
}

TEST_F(ExternalDataTest, NumbersOutOfRangeAreRefused) {
  weights(floats_as_text({3, 4}));
  for (const char* bad : {"-1", "", " 0", "0 ", "0x0", "1e3", "9223372036854775808", "18446744073709551616",
                          "99999999999999999999999", "9223372036854775807", "1", "9"})
    EXPECT_THAT(refusal({{"location", "w.bin"}, {"offset", bad}, {"length", "8"}}), HasSubstr("'w'")) << bad;
  for (const char* bad : {"-8", "", "7", "9", "0", "9223372036854775807", "18446744073709551624"})
    EXPECT_THAT(refusal({{"location", "w.bin"}, {"length", bad}}), HasSubstr("'w'")) << bad;
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"location", "w.bin"}}), HasSubstr("two values"));
}

TEST_F(ExternalDataTest, AHugeShapeTakesNoMemory) {
  weights(floats_as_text({3, 4}));
  Model model = gemm_with({{"location", "w.bin"}, {"length", "17179869184"}});
  model.graph().mutable_initializer(0)->set_dims(0, std::int64_t{1} << 32);
  EXPECT_THAT(message_of<InputError>([&] { load_model(write(model)); }), HasSubstr("'w.bin'"));
  model.graph().mutable_initializer(0)->set_dims(0, INT64_MAX);
  EXPECT_THROW(load_model(write(model)), InputError);
}

TEST_F(ExternalDataTest, DataInBothPlacesIsRefused) {
  weights(floats_as_text({3, 4}));
  Model model = gemm_with({{"location", "w.bin"}});
  model.graph().mutable_initializer(0)->set_raw_data("12345678");
  EXPECT_THAT(message_of<InputError>([&] { load_model(write(model)); }), HasSubstr("both"));
}

// A thousand tensors on one large file must not take a thousand times its size.
TEST_F(ExternalDataTest, TensorsShareTheSameBytesAndDoNotOverlap) {
  weights(floats_as_text({3, 4, 5}));
  Model model = gemm_with({{"location", "w.bin"}, {"length", "8"}});
  *model.graph().add_initializer() = model.graph().initializer(0);
  onnx::TensorProto& second = *model.graph().mutable_initializer(1);
  second.set_name("v");
  model.node("Gemm", {"x", "v"}, {"z"});
  model.output("z");
  const ir::Graph graph = load_model(write(model));
  EXPECT_EQ(graph.constant(0)->bytes().data(), graph.constant(1)->bytes().data());
  auto* offset = second.add_external_data();
  offset->set_key("offset");
  offset->set_value("4");
  EXPECT_THAT(message_of<InputError>([&] { load_model(write(model)); }), HasSubstr("overlap"));
}

TEST_F(ExternalDataTest, NotANumberIsRefusedAsInside) {
  weights(floats_as_text({3, NAN}));
  EXPECT_THAT(refusal({{"location", "w.bin"}}), HasSubstr("NaN"));
}

TEST_F(ExternalDataTest, AModelInMemoryHasNoFolder) {
  const Model model = gemm_with({{"location", "w.bin"}});
  EXPECT_THAT(message_of<UnsupportedError>([&] { parse(model.proto); }),
              AllOf(HasSubstr("'w'"), HasSubstr("'w.bin'")));
}

TEST_F(ExternalDataTest, ConstantNodesToo) {
  weights(floats_as_text({3, 4}));
  Model model = gemm_with({{"location", "w.bin"}});
  auto* value = model.graph().mutable_node()->Add();
  value->set_op_type("Constant");
  value->add_output("w");
  value->add_attribute()->set_name("value");
  value->mutable_attribute(0)->set_type(onnx::AttributeProto::TENSOR);
  *value->mutable_attribute(0)->mutable_t() = model.graph().initializer(0);
  model.graph().mutable_node()->SwapElements(0, 1);
  model.graph().clear_initializer();
  const ir::Graph graph = load_model(write(model));
  EXPECT_TRUE(ir::run(graph, {ir::floats({1, 2}, {1, 2})}) == ir::floats({1, 1}, {11}));
}

// A network with one large weight, one small one and a scalar.
ir::Graph two_layers() {
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", DType::float32, {kDynamic, 40});
  const ir::ValueId w = graph.add_constant("w", ir::random_floats({40, 17}, 1));
  const ir::ValueId v = graph.add_constant("v", ir::random_floats({17, 300}, 2));
  const ir::ValueId b = graph.add_constant("b", ir::random_floats({300}, 3));
  const ir::ValueId s = graph.add_constant("s", ir::floats({}, {0.5F}));
  const ir::ValueId h = graph.add_node(ir::Gemm{}, {x, w}, "h");
  graph.outputs = {graph.add_node(ir::Mul{}, {graph.add_node(ir::Gemm{}, {h, v, b}, "y"), s}, "z")};
  return graph;
}

TEST_F(ExternalDataTest, LargeWeightsAreWrittenBesideTheModel) {
  const ir::Graph graph = two_layers();
  const auto path = scratch_ / "m.onnx";
  const std::uint64_t bytes = save_model(graph, path, 1000);
  EXPECT_THAT(scratch_.names(), UnorderedElementsAre("m.onnx", "m.onnx.data"));
  EXPECT_EQ(bytes, std::filesystem::file_size(path) + std::filesystem::file_size(scratch_ / "m.onnx.data"));
  EXPECT_EQ(serialize_model(load_model(path)), serialize_model(graph));

  onnx::ModelProto proto;
  std::ifstream file(path);
  ASSERT_TRUE(proto.ParseFromIstream(&file));
  std::map<std::string, std::uint64_t> offsets;
  for (const onnx::TensorProto& tensor : proto.graph().initializer()) {
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL) continue;
    for (const auto& entry : tensor.external_data()) {
      if (entry.key() == "location") {
        EXPECT_EQ(entry.value(), "m.onnx.data");
      }
      if (entry.key() == "offset") offsets[tensor.name()] = std::stoull(entry.value());
    }
  }
  EXPECT_EQ(offsets, (std::map<std::string, std::uint64_t>{{"w", 0}, {"v", 2752}, {"b", 23168}}));
  for (const auto& [name, offset] : offsets) EXPECT_EQ(offset % 64, 0u) << name;
}

TEST_F(ExternalDataTest, EqualGraphsGiveEqualFiles) {
  save_model(two_layers(), scratch_ / "m.onnx", 1000);
  const auto model = read_file(scratch_ / "m.onnx");
  const auto data = read_file(scratch_ / "m.onnx.data");
  save_model(load_model(scratch_ / "m.onnx"), scratch_ / "m.onnx", 1000);
  EXPECT_EQ(read_file(scratch_ / "m.onnx"), model);
  EXPECT_EQ(read_file(scratch_ / "m.onnx.data"), data);
}

TEST_F(ExternalDataTest, UpToTheThresholdThereIsOneFile) {
  const ir::Graph graph = two_layers();
  const std::uint64_t all = 4 * (40 * 17 + 17 * 300 + 300 + 1);
  save_model(graph, scratch_ / "m.onnx", all);
  EXPECT_EQ(scratch_.names(), std::vector<std::string>{"m.onnx"});
  save_model(graph, scratch_ / "m.onnx", all - 1);
  EXPECT_EQ(scratch_.names().size(), 2u);
}

TEST_F(ExternalDataTest, AFailureLeavesNothingOfEitherFile) {
  std::filesystem::create_directory(scratch_ / "m.onnx.data");
  EXPECT_THROW(save_model(two_layers(), scratch_ / "m.onnx", 0), SystemError);
  EXPECT_EQ(scratch_.names(), std::vector<std::string>{"m.onnx.data"});
  EXPECT_THROW(save_model(two_layers(), scratch_ / "no/such/m.onnx", 0), SystemError);
  EXPECT_THROW(save_model(two_layers(), "/dev/null", 0), UnsupportedError);
  EXPECT_FALSE(std::filesystem::exists("/dev/null.data"));
}

}  // namespace
}  // namespace halftone::onnx_io
