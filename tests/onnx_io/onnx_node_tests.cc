// ONNX's own operator tests (onnx/backend/test/data/node): every case is read, run and compared at the
// tolerance of ONNX's runner, then written, read and run once more. Usage: onnx_node_tests DIR
#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/ir/interpreter.h"
#include "halftone/onnx_io/load.h"
#include "halftone/onnx_io/save.h"
#include "halftone/onnx_io/tensor_proto.h"

namespace halftone::onnx_io {
namespace {

namespace fs = std::filesystem;

// Element types that Halftone does not have: the only reason to skip a case.
const std::map<int, std::string> kSkippedTypes = {{8, "string"},          {17, "float8e4m3fn"},
                                                  {18, "float8e4m3fnuz"}, {19, "float8e5m2"},
                                                  {20, "float8e5m2fnuz"}, {23, "float4e2m1"}};

struct Case {
  onnx::ModelProto model;
  std::vector<onnx::TensorProto> inputs;
  std::vector<onnx::TensorProto> outputs;
};

template <typename Proto>
bool parse(const fs::path& path, Proto& proto) {
  std::ifstream file(path, std::ios::binary);
  return proto.ParseFromIstream(&file);
}

std::vector<onnx::TensorProto> read_tensors(const fs::path& folder, const std::string& kind) {
  std::vector<onnx::TensorProto> tensors;
  for (int i = 0; fs::exists(folder / fmt::format("{}_{}.pb", kind, i)); ++i)
    if (!parse(folder / fmt::format("{}_{}.pb", kind, i), tensors.emplace_back()))
      throw InputError(folder.string(), "a tensor that can't be read");
  return tensors;
}

// How far an element may be off: numpy.testing.assert_allclose(rtol=1e-3, atol=1e-7), as ONNX's runner.
bool is_close(double got, double expected) {
  if (std::isnan(expected) || std::isinf(expected))
    return std::isnan(expected) ? std::isnan(got) : got == expected;
  return std::fabs(got - expected) <= 1e-7 + 1e-3 * std::fabs(expected);
}

void compare(const Tensor& got, const Tensor& expected, std::size_t output) {
  if (got.dtype() != expected.dtype() || got.shape() != expected.shape())
    throw InputError("compare", fmt::format("output {} is {} {}, expected {} {}", output,
                                            name_of(got.dtype()), to_string(got.shape()),
                                            name_of(expected.dtype()), to_string(expected.shape())));
  if (!is_float(got.dtype())) {
    if (!(got == expected)) throw InputError("compare", fmt::format("integers of output {} differ", output));
    return;
  }
  const Tensor a = got.cast(DType::float64);
  const Tensor b = expected.cast(DType::float64);
  for (std::size_t i = 0; i < a.data<double>().size(); ++i)
    if (!is_close(a.data<double>()[i], b.data<double>()[i]))
      throw InputError("compare", fmt::format("element {} of output {} is {}, expected {}", i, output,
                                              a.data<double>()[i], b.data<double>()[i]));
}

// The case's inputs from `first` on become weights: shapes and the like have to be known when a model is
// read.
onnx::ModelProto bound(const Case& test, std::size_t first) {
  onnx::ModelProto model = test.model;
  for (std::size_t i = first; i < test.inputs.size(); ++i) {
    onnx::TensorProto& weight = *model.mutable_graph()->add_initializer();
    weight = test.inputs[i];
    weight.set_name(model.graph().input(static_cast<int>(i)).name());
  }
  return model;
}

// Halftone refuses NaN in weights; a test's operands may hold it.
Tensor to_tensor(const onnx::TensorProto& proto) {
  const DType dtype = dtype_from(proto.data_type(), "tensor");
  if (!is_float(dtype) || proto.raw_data().empty()) return from_proto(proto, "tensor");
  return Tensor::adopt(dtype, Shape(proto.dims().begin(), proto.dims().end()), proto.raw_data());
}

std::vector<Tensor> run(const ir::Graph& graph, const Case& test, std::size_t given) {
  std::vector<Tensor> inputs;
  for (ir::ValueId id : graph.inputs)
    for (std::size_t i = 0; i < given; ++i)
      if (test.model.graph().input(static_cast<int>(i)).name() == graph.value(id).name)
        inputs.push_back(to_tensor(test.inputs[i]));
  return ir::Interpreter(graph).run(inputs);
}

void check(const Case& test, std::size_t given) {
  const std::string bytes = bound(test, given).SerializeAsString();
  const ir::Graph graph = parse_model(std::as_bytes(std::span(bytes)), "model");
  const std::vector<Tensor> results = run(graph, test, given);
  if (results.size() != test.outputs.size())
    throw InputError("run", fmt::format("{} outputs", results.size()));
  for (std::size_t i = 0; i < results.size(); ++i) compare(results[i], to_tensor(test.outputs[i]), i);
  const std::string written = serialize_model(graph);
  const ir::Graph again = parse_model(std::as_bytes(std::span(written)), "written");
  const std::vector<Tensor> repeated = run(again, test, given);
  for (std::size_t i = 0; i < results.size(); ++i)
    if (repeated[i].dtype() != results[i].dtype() ||
        !std::ranges::equal(repeated[i].bytes(), results[i].bytes()))
      throw InputError("round trip", fmt::format("output {} differs after writing and reading", i));
  if (serialize_model(again) != written) throw InputError("round trip", "written again, the bytes differ");
}

// Tries with all inputs given when run, then with the first alone, then with none.
void check(const Case& test) {
  std::vector<std::size_t> givens{test.inputs.size(), std::min<std::size_t>(1, test.inputs.size()), 0};
  for (std::size_t i = 0; i < givens.size(); ++i) try {
      return check(test, givens[i]);
    } catch (const UnsupportedError&) {
      if (i + 1 == givens.size()) throw;
    }
}

std::string skipped_type(const Case& test) {
  for (const auto* tensors : {&test.inputs, &test.outputs})
    for (const onnx::TensorProto& tensor : *tensors)
      if (const auto found = kSkippedTypes.find(tensor.data_type()); found != kSkippedTypes.end())
        return found->second;
  return "";
}

int main_of(const fs::path& root) {
  std::set<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(root))
    if (entry.is_directory()) folders.insert(entry.path());
  int passed = 0;
  int failed = 0;
  std::map<std::string, int> skipped;
  for (const fs::path& folder : folders) {
    Case test;
    if (!parse(folder / "model.onnx", test.model)) {
      fmt::print("FAILED {}: model.onnx can't be read\n", folder.filename().string());
      ++failed;
      continue;
    }
    test.inputs = read_tensors(folder / "test_data_set_0", "input");
    test.outputs = read_tensors(folder / "test_data_set_0", "output");
    if (const std::string type = skipped_type(test); !type.empty()) {
      ++skipped[type];
      continue;
    }
    try {
      check(test);
      ++passed;
    } catch (const std::exception& error) {
      fmt::print("FAILED {}: {}\n", folder.filename().string(), error.what());
      ++failed;
    }
  }
  fmt::print("{} of {} cases passed, {} failed\n", passed, folders.size(), failed);
  for (const auto& [type, count] : skipped) fmt::print("skipped for elements of type {}: {}\n", type, count);
  return failed == 0 && passed >= 480 ? 0 : 1;
}

}  // namespace
}  // namespace halftone::onnx_io

int main(int argc, char** argv) {
  const char* data = std::getenv("HALFTONE_DATA");
  for (const std::string& place :
       {std::string(argc > 1 ? argv[1] : ""), fmt::format("{}/onnx-node", data != nullptr ? data : ""),
        std::string("data/onnx-node"), std::string("../shared/data/onnx-node")})
    if (!place.empty() && std::filesystem::is_directory(place)) return halftone::onnx_io::main_of(place);
  fmt::print("skipped: no onnx-node folder in $HALFTONE_DATA, data/ or ../shared/data\n");
  return 77;
}
