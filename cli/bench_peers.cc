#include "cli/bench_peers.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/engine_run.h"
#include "cli/number_list.h"
#include "halftone/base/error.h"
#include "halftone/lower/qoperators.h"
#include "halftone/onnx_io/save.h"
#include "halftone/passes/pass.h"
#include "halftone/peers/onednn_int8.h"

namespace halftone::cli {
namespace {

constexpr const char* kOnednn = "onednn";
constexpr const char* kOnnxruntime = "onnxruntime";

// Pairs around u8 activations. Throws UnsupportedError for activations that have no such form.
ir::Graph with_unsigned_pairs(const ModelFile& model) {
  ir::Graph graph = passes::unsigned_activations(lower::with_pairs(model.graph));
  for (const ir::Node& node : graph.nodes) {
    if (!std::holds_alternative<ir::QuantizeLinear>(node.op) || graph.constant(node.inputs[0]) != nullptr) continue;
    const DType dtype = graph.value(node.outputs[0]).dtype;
    if (dtype != DType::uint8)
      throw UnsupportedError(ir::describe(graph, node),
                             fmt::format("gives {}, expected uint8, the form in which it is fastest", name_of(dtype)));
  }
  return graph;
}

}  // namespace

BenchPeers::BenchPeers(const std::string& names, const std::string& library) {
  if (!names.empty()) names_ = parse_words("--peers", names);
  for (const std::string& name : names_)
    if (name != kOnednn && name != kOnnxruntime)
      throw UsageError("--peers", fmt::format("unknown peer, got '{}', expected {} or {}", name, kOnednn, kOnnxruntime));
  const bool asked = std::ranges::find(names_, kOnnxruntime) != names_.end();
  if (!library.empty() && !asked)
    throw UsageError("--onnxruntime", fmt::format("a library for a peer that is not asked for, expected --peers {}", kOnnxruntime));
  if (library.empty() && asked) throw UsageError("--onnxruntime", "the library of ONNX Runtime is not named, expected a FILE as libonnxruntime.so.1");
  if (!library.empty()) library_.emplace(library);
}

std::function<void()> BenchPeers::run_of(const std::string& peer, const ModelFile& model, std::int64_t batch, int threads) {
  try {
    return peer == kOnednn ? onednn_run(model, batch, threads) : onnxruntime_run(model, batch, threads);
  } catch (const InputError& error) {
    const std::string line = fmt::format("skipped: {}: {}: {}", peer, model.path, error.what());
    if (std::ranges::find(skipped_, line) == skipped_.end()) skipped_.push_back(line);
    return {};
  }
}

std::function<void()> BenchPeers::onednn_run(const ModelFile& model, std::int64_t batch, int threads) const {
  auto network = std::make_shared<peers::OnednnInt8>(*model.integers, peers::OnednnOptions{.batch = batch, .threads = threads});
  const std::vector<Tensor> inputs = noise_for(model, batch);
  for (std::size_t i = 0; i < inputs.size(); ++i) std::ranges::copy(inputs[i].data<float>(), network->input(i).begin());
  return [network] { network->run(); };
}

std::function<void()> BenchPeers::onnxruntime_run(const ModelFile& model, std::int64_t batch, int threads) {
  for (ir::ValueId id : model.graph.inputs)
    if (const ir::Value& input = model.graph.value(id); input.dtype != DType::float32)
      throw UnsupportedError(input.name, fmt::format("an input in {}, expected float32", name_of(input.dtype)));
  std::string& file = files_[model.path];
  if (file.empty()) file = onnx_io::serialize_model(with_unsigned_pairs(model));
  auto session = std::make_shared<peers::OnnxruntimeSession>(*library_, peers::OnnxruntimeNetwork{.model = file,
                                                                                                  .input_names = model.input_names(),
                                                                                                  .inputs = noise_for(model, batch),
                                                                                                  .output_names = model.output_names(),
                                                                                                  .threads = threads});
  session->run();  // what it refuses, it refuses here
  return [session] { session->run(); };
}

}  // namespace halftone::cli
