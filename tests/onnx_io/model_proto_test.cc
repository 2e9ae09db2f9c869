// The message read block by block is the one that protobuf would give, for good bytes and bad ones.
#include "halftone/onnx_io/model_proto.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <random>

#include "halftone/base/file.h"
#include "halftone/onnx_io/save.h"
#include "halftone/onnx_io/tensor_proto.h"
#include "tests/base/bytes.h"
#include "tests/base/scratch.h"
#include "tests/onnx_io/every_op.h"
#include "tests/onnx_io/protos.h"

namespace halftone::onnx_io {
namespace {

std::string ours(const std::string& bytes) {
  try {
    return parse_model_proto(bytes_of(bytes), "test").SerializeAsString();
  } catch (const InputError&) {
    return "refused";
  }
}

std::string theirs(const std::string& bytes) {
  onnx::ModelProto model;
  const bool parsed = !bytes.empty() && model.ParseFromString(bytes) && model.has_graph();
  return parsed ? model.SerializeAsString() : "refused";
}

// A message within a message, with this tag.
std::string field(char tag, const std::string& content) {
  std::string result(1, tag);
  for (std::size_t n = content.size();; n >>= 7) {
    result += static_cast<char>(n > 127 ? (n & 127) | 128 : n);
    if (n <= 127) return result + content;
  }
}

// Every field on the way to a tensor, next to others, and all typed fields.
Model rich_model() {
  Model model;
  model.input("x", {0, 2});
  model.initializer("w", {2, 1}, {3, 4});
  model.initializer("raw", {2}, {}).set_raw_data("12345678");
  model.int8_initializer("i", {3}, -5);
  model.shape_initializer("s", {1, -1});
  onnx::NodeProto& node = model.node("Constant", {}, {"c"}, "constant");
  node.set_doc_string("what it is");
  auto* value = node.add_attribute();
  value->set_name("value");
  value->set_type(onnx::AttributeProto::TENSOR);
  Model::fill(*value->mutable_t(), {2, 1}, {3, 4});
  value->mutable_t()->add_double_data(0.5);
  set(model.node("MaxPool", {"x"}, {"y"}), "kernel_shape", std::vector<std::int64_t>{2, 300});
  auto* inner = model.node("If", {"x"}, {"z"}).add_attribute();
  inner->set_name("then_branch");
  inner->mutable_g()->add_node()->set_name("inside");
  auto* entry = model.proto.add_metadata_props();
  entry->set_key("k");
  entry->set_value("v");
  return std::move(model.output("y"));
}

TEST(ModelProto, IsWhatProtobufReads) {
  const std::string rich = rich_model().proto.SerializeAsString();
  EXPECT_EQ(ours(rich), theirs(rich));
  for (const auto& [name, graph] : graphs_of_every_op()) {
    const std::string bytes = serialize_model(graph);
    EXPECT_EQ(ours(bytes), theirs(bytes)) << name;
  }
}

TEST(ModelProto, FieldsGivenTwiceMergeAsInProtobuf) {
  const std::string rich = rich_model().proto.SerializeAsString();
  Model other;
  other.initializer("w", {1}, {7});
  EXPECT_EQ(ours(rich + other.proto.SerializeAsString()), theirs(rich + other.proto.SerializeAsString()));
}

TEST(ModelProto, EveryTruncationIsJudgedAsByProtobuf) {
  const std::string rich = rich_model().proto.SerializeAsString();
  for (std::size_t length = 0; length < rich.size(); ++length)
    ASSERT_EQ(ours(rich.substr(0, length)), theirs(rich.substr(0, length))) << length;
}

TEST(ModelProto, DamageIsJudgedAsByProtobuf) {
  const std::string rich = rich_model().proto.SerializeAsString();
  std::mt19937_64 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string changed = rich;
    for (std::uint64_t i = 0; i <= random() % 3; ++i) {
      const std::size_t at = random() % changed.size();
      if (random() % 3 == 0)
        changed.erase(at, 1);
      else if (random() % 2 == 0)
        changed.insert(at, 1, static_cast<char>(random()));
      else
        changed[at] = static_cast<char>(random());
    }
    ASSERT_EQ(ours(changed), theirs(changed)) << round;
  }
}

TEST(ModelProto, FilesPlainAndPackedAreTheBytes) {
  const Scratch scratch;
  Model model = rich_model();
  std::string raw(3'500'000, '\0');  // several blocks
  for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<char>(i * i >> 3);
  model.initializer("large", {875'000}, {}).set_raw_data(raw);
  const std::string bytes = model.proto.SerializeAsString();
  write_file(scratch / "plain", bytes);
  EXPECT_EQ(read_model_proto(scratch / "plain").SerializeAsString(), bytes);
  write_file(scratch / "packed", gzip(halftone::bytes_of(bytes)));
  EXPECT_EQ(read_model_proto(scratch / "packed").SerializeAsString(), bytes);
}

// Many packed floats become raw_data: the same tensor, whatever else the message says.
TEST(ModelProto, ManyTypedFloatsAreTheTensorTheyWere) {
  const std::vector<float> values(300'000, 1.5F);
  const auto with_type = [&](int type, const std::string& behind = "") {
    onnx::TensorProto tensor;
    Model::fill(tensor, {300'000}, values);
    tensor.set_data_type(type);
    const std::string graph = field('\x2a', tensor.SerializeAsString() + behind);
    return parse_model_proto(bytes_of(field('\x3a', graph)), "test").graph().initializer(0);
  };
  const Tensor expected = Tensor::from<float>({300'000}, values);
  EXPECT_TRUE(from_proto(with_type(onnx::TensorProto::FLOAT), "here") == expected);
  EXPECT_EQ(with_type(onnx::TensorProto::DOUBLE).float_data_size(), 300'000);
  EXPECT_FALSE(with_type(onnx::TensorProto::DOUBLE).has_raw_data());
  onnx::TensorProto more;
  more.add_float_data(2.0F);
  EXPECT_EQ(with_type(onnx::TensorProto::FLOAT, more.SerializeAsString()).raw_data().size(), 4u * 300'001);
  onnx::TensorProto raw;
  raw.set_raw_data("1234");
  EXPECT_EQ(with_type(onnx::TensorProto::FLOAT, raw.SerializeAsString()).raw_data(), "1234");
}

TEST(ModelProto, DamagedFilesAreRefused) {
  const Scratch scratch;
  const std::string bytes = rich_model().proto.SerializeAsString();
  const auto packed = gzip(halftone::bytes_of(bytes));
  const auto refused = [&](const auto& content) {
    write_file(scratch / "f", content);
    EXPECT_THROW(read_model_proto(scratch / "f"), InputError);
  };
  refused(bytes.substr(0, bytes.size() - 1));
  refused(bytes + "\x0a");
  refused(std::string());
  for (std::size_t length : {packed.size() - 1, packed.size() - 5, packed.size() - 8, packed.size() / 2})
    refused(prefix(packed, length));
  auto checksum = packed;
  checksum[checksum.size() - 6] ^= std::byte{1};
  refused(checksum);
  EXPECT_THROW(read_model_proto(scratch / "nowhere"), SystemError);
  EXPECT_THROW(read_model_proto(scratch.path()), InputError);
}

// Lengths are claims: neither of two gigabytes that are not there may take them.
TEST(ModelProto, ClaimedLengthsTakeNoMemory) {
  const Scratch scratch;
  const std::string claim =
      std::string("\x3a\xff\xff\xff\xff\x07\x2a\xf0\xff\xff\xff\x07\x4a\xe0\xff\xff\xff\x07", 18);
  EXPECT_EQ(ours(claim), "refused");
  write_file(scratch / "packed", gzip(halftone::bytes_of(claim)));
  EXPECT_THROW(read_model_proto(scratch / "packed"), InputError);
}

}  // namespace
}  // namespace halftone::onnx_io
