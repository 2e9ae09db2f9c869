// Whatever the bytes are: a graph that is well formed, or an Error.
#include <gmock/gmock.h>

#include <random>

#include "halftone/ir/infer.h"
#include "halftone/onnx_io/save.h"
#include "halftone/lower/lower.h"
#include "tests/onnx_io/every_op.h"
#include "tests/onnx_io/protos.h"

namespace halftone::onnx_io {
namespace {

void use(const ir::Graph& graph) {
  ir::check(graph);
  ir::Graph copy = graph;
  ir::infer_shapes(copy);
  parse(serialize_model(graph));
  if (lower::is_quantized(graph)) lower::lower(graph);
}

// A copy of exactly this size, so that AddressSanitizer sees a read past its end.
void expect_survives(const std::string& bytes, std::string_view what) {
  const std::vector<char> exact(bytes.begin(), bytes.end());
  try {
    const ir::Graph graph = parse_model(std::as_bytes(std::span(exact)), "test");
    EXPECT_NO_THROW(ir::check(graph)) << what;
    use(graph);
  } catch (const Error&) {
  } catch (const std::exception& error) {
    ADD_FAILURE() << what << ": expected an Error, got " << error.what();
  }
}

std::vector<std::pair<std::string, std::string>> files() {
  std::vector<std::pair<std::string, std::string>> result{
      {"quantized network", serialize_model(quantized_network())}};
  for (const auto& [name, graph] : graphs_of_every_op()) result.emplace_back(name, serialize_model(graph));
  return result;
}

TEST(Damage, EveryTruncation) {
  for (const auto& [name, whole] : files())
    for (std::size_t length = 0; length < whole.size(); ++length)
      expect_survives(whole.substr(0, length), name + " cut to " + std::to_string(length));
}

TEST(Damage, FlippedAndInsertedBytes) {
  for (const auto& [name, whole] : files()) {
    std::mt19937_64 random(1);
    const int rounds = name == "quantized network" ? 4000 : 400;
    for (int round = 0; round < rounds; ++round) {
      std::string changed = whole;
      for (std::uint64_t i = 0; i <= random() % 4; ++i) {
        const std::size_t at = random() % changed.size();
        const auto byte = static_cast<char>(random());
        switch (random() % 4) {
          case 0:
            changed[at] = byte;
            break;
          case 1:
            changed[at] = static_cast<char>(changed[at] ^ (1 << random() % 8));
            break;
          case 2:
            changed.insert(at, 1, byte);
            break;
          default:
            changed.erase(at, 1);
            break;
        }
      }
      expect_survives(changed, name + " round " + std::to_string(round));
    }
  }
}

TEST(Damage, EverySingleByteOfAQuantizedNetwork) {
  const std::string whole = serialize_model(quantized_network());
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (char value : {'\x00', '\x01', '\x7f', '\x80', '\xff'}) {
      std::string changed = whole;
      changed[at] = value;
      expect_survives(changed, "byte " + std::to_string(at));
    }
}

TEST(Damage, RandomBytes) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    expect_survives(bytes, "round " + std::to_string(round));
  }
}

TEST(Damage, RandomProtobufFieldsOfTheRightTypes) {
  std::mt19937_64 random(3);
  const std::string whole = serialize_model(quantized_network());
  const std::int64_t numbers[] = {0,
                                  1,
                                  -1,
                                  2,
                                  3,
                                  7,
                                  INT64_MAX,
                                  INT64_MIN,
                                  INT32_MAX,
                                  std::int64_t{1} << 31,
                                  std::int64_t{1} << 32,
                                  std::int64_t{1} << 62,
                                  6,
                                  36};
  const std::string names[] = {"", "x", "x_q", "x_scale", "w_q", "conv", "y_dq", "b_q", "shape"};
  for (int round = 0; round < 3000; ++round) {
    onnx::ModelProto model;
    ASSERT_TRUE(model.ParseFromString(whole));
    onnx::GraphProto& graph = *model.mutable_graph();
    const auto number = [&] { return numbers[random() % std::size(numbers)]; };
    const auto name = [&] { return names[random() % std::size(names)]; };
    for (std::uint64_t i = 0; i <= random() % 2; ++i) {
      onnx::NodeProto& node =
          *graph.mutable_node(static_cast<int>(random() % static_cast<std::uint64_t>(graph.node_size())));
      onnx::TensorProto& tensor = *graph.mutable_initializer(
          static_cast<int>(random() % static_cast<std::uint64_t>(graph.initializer_size())));
      switch (random() % 8) {
        case 0:
          if (node.attribute_size() > 0 && node.attribute(0).ints_size() > 0)
            node.mutable_attribute(0)->set_ints(0, number());
          break;
        case 1:
          if (node.attribute_size() > 0) node.mutable_attribute(0)->set_i(number());
          break;
        case 2:
          if (node.input_size() > 0)
            node.set_input(static_cast<int>(random() % static_cast<std::uint64_t>(node.input_size())),
                           name());
          break;
        case 3:
          node.set_output(0, name());
          break;
        case 4:
          if (tensor.dims_size() > 0) tensor.set_dims(0, number());
          break;
        case 5:
          tensor.set_data_type(static_cast<int>(random() % 17));
          break;
        case 6:
          graph.mutable_input(0)
              ->mutable_type()
              ->mutable_tensor_type()
              ->mutable_shape()
              ->mutable_dim(static_cast<int>(random() % 4))
              ->set_dim_value(number());
          break;
        default: {
          std::string raw = tensor.raw_data();
          if (!raw.empty()) raw[random() % raw.size()] = static_cast<char>(random());
          tensor.set_raw_data(raw);
        }
      }
    }
    expect_survives(model.SerializeAsString(), "round " + std::to_string(round));
  }
}

TEST(Damage, DeepRecursion) {
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(serialize_model(quantized_network())));
  onnx::GraphProto* graph = model.mutable_graph();
  for (int depth = 0; depth < 300; ++depth) {
    onnx::NodeProto* node = graph->add_node();
    node->set_op_type("If");
    auto* attribute = node->add_attribute();
    attribute->set_name("then_branch");
    attribute->set_type(onnx::AttributeProto::GRAPH);
    graph = attribute->mutable_g();
  }
  EXPECT_THROW(parse(model.SerializeAsString()), InputError);
  // The same in the type of an input: sequences of sequences.
  Model typed;
  onnx::ValueInfoProto& input = *typed.graph().add_input();
  input.set_name("x");
  onnx::TypeProto* type = input.mutable_type();
  for (int depth = 0; depth < 300; ++depth) type = type->mutable_sequence_type()->mutable_elem_type();
  EXPECT_THROW(parse(typed.output("x").proto), InputError);
}

}  // namespace
}  // namespace halftone::onnx_io
