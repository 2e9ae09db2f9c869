#include "halftone/ptq/walk.h"

#include <algorithm>

#include "halftone/base/parallel_for.h"
#include "halftone/ir/liveness.h"

namespace halftone::ptq {
namespace {

constexpr std::int64_t kBatch = 16;
constexpr std::int64_t kMemory = std::int64_t{4} << 30;

// Bytes that one sample's values take at most while the network runs, in two networks.
std::int64_t bytes_per_sample(const ir::Graph& graph, const std::vector<std::size_t>& last_reader) {
  std::int64_t live = 0;
  std::int64_t most = 1;
  const auto bytes = [&](ir::ValueId id) {
    std::int64_t size = 2 * 4;
    for (std::int64_t dim : graph.value(id).shape) size *= dim == kDynamic ? 1 : dim;
    return size;
  };
  for (ir::ValueId id : graph.inputs) live += bytes(id);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    for (ir::ValueId id : graph.nodes[n].outputs) live += bytes(id);
    most = std::max(most, live);
    for (std::size_t v = 0; v < last_reader.size(); ++v)
      if (last_reader[v] == n && !graph.values[v].constant) live -= bytes(static_cast<ir::ValueId>(v));
  }
  return most;
}

// The node alone, its computed operands as inputs, `ids` of them.
ir::Graph alone(const ir::Graph& graph, const ir::Node& node, const std::vector<const Tensor*>& constants,
                std::vector<ir::ValueId>& ids) {
  ir::Graph result;
  std::vector<ir::ValueId> inputs;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ir::ValueId id = node.inputs[i];
    if (constants[i] != nullptr) {
      inputs.push_back(result.add_constant("constant", *constants[i]));
      continue;
    }
    const auto known = std::ranges::find(ids, id);
    if (id == ir::kNoValue) {
      inputs.push_back(id);
    } else if (known != ids.end()) {
      inputs.push_back(result.inputs[static_cast<std::size_t>(known - ids.begin())]);
    } else {
      const ir::Value& value = graph.value(id);
      inputs.push_back(result.add_input(value.name, value.dtype, value.shape));
      ids.push_back(id);
    }
  }
  ir::Node copy{node.name, node.op, inputs, {}};
  for (ir::ValueId id : node.outputs) {
    const ir::Value& value = graph.value(id);
    copy.outputs.push_back(result.add_value(value.name, value.dtype, value.shape));
  }
  result.outputs = copy.outputs;
  result.nodes.push_back(std::move(copy));
  return result;
}

Tensor on_grid(const Tensor& values, const quant::ActivationParams& params) {
  const numeric::QuantParams all{.format = params.format, .affine = {params.affine}};
  return numeric::dequantize(numeric::quantize(values, all), all);
}

}  // namespace

Walk::Walk(const ir::Graph& graph, const calibration::Runs& runs, std::int64_t max_samples)
    : graph_(graph),
      make_executor_(runs.make_executor),
      threads_(runs.options.threads),
      real_(graph.values.size()),
      quantized_(graph.values.size()),
      last_reader_(ir::last_readers(graph)) {
  const calibration::SampleSource& samples = runs.samples;
  const std::int64_t batch = runs.options.fixed_batch ? runs.options.batch_size : kBatch;
  const std::int64_t fits = kMemory / bytes_per_sample(graph, last_reader_);
  const std::int64_t wanted = std::clamp<std::int64_t>(std::min(fits, max_samples), 1, samples.count);
  const std::int64_t batches = (wanted + batch - 1) / batch;
  std::vector<std::vector<Tensor>> inputs(static_cast<std::size_t>(batches));
  parallel_for(batches, threads_, [&](std::int64_t b) {
    const std::int64_t first = b * std::max<std::int64_t>(samples.count - batch, 0) / std::max<std::int64_t>(batches - 1, 1);
    inputs[static_cast<std::size_t>(b)] = samples.inputs(first, std::min(samples.count, first + batch));
  });
  for (std::size_t i = 0; i < graph.inputs.size(); ++i)
    for (const auto& tensors : inputs)
      real_[static_cast<std::size_t>(graph.inputs[i])].push_back(tensors.at(i));
}

void Walk::store(ir::ValueId id, Batches computed, const quant::Parameters& parameters) {
  const auto& params = parameters.activations[static_cast<std::size_t>(id)];
  if (params)
    parallel_for(static_cast<std::int64_t>(computed.size()), threads_, [&](std::int64_t b) {
      Tensor& batch = computed[static_cast<std::size_t>(b)];
      batch = on_grid(batch, *params);
    });
  quantized_[static_cast<std::size_t>(id)] = std::move(computed);
}

void Walk::start(const quant::Parameters& parameters) {
  for (ir::ValueId id : graph_.inputs) store(id, real(id), parameters);
}

std::vector<const Tensor*> Walk::constants_of(const ir::Node& node) const {
  std::vector<const Tensor*> constants;
  for (ir::ValueId id : node.inputs) constants.push_back(id == ir::kNoValue ? nullptr : graph_.constant(id));
  return constants;
}

std::vector<Batches> Walk::run(const ir::Node& node, const std::vector<Batches>& values,
                               const std::vector<const Tensor*>& constants) const {
  std::vector<ir::ValueId> ids;
  const auto executor = make_executor_(alone(graph_, node, constants, ids));
  const std::size_t batches = values[static_cast<std::size_t>(ids.at(0))].size();
  std::vector<Batches> outputs(node.outputs.size(), Batches(batches));
  parallel_for(static_cast<std::int64_t>(batches), threads_, [&](std::int64_t b) {
    std::vector<Tensor> inputs;
    for (ir::ValueId id : ids)
      inputs.push_back(values[static_cast<std::size_t>(id)][static_cast<std::size_t>(b)]);
    std::vector<Tensor> results = executor->run(inputs);
    for (std::size_t i = 0; i < results.size(); ++i)
      outputs[i][static_cast<std::size_t>(b)] = std::move(results[i]);
  });
  return outputs;
}

void Walk::run_real(std::size_t n) {
  const ir::Node& node = graph_.nodes[n];
  std::vector<Batches> outputs = run(node, real_, constants_of(node));
  for (std::size_t i = 0; i < outputs.size(); ++i)
    real_[static_cast<std::size_t>(node.outputs[i])] = std::move(outputs[i]);
}

Batches Walk::linear_output(std::size_t n, const Tensor& weights, const Tensor* bias) const {
  const ir::Node& node = graph_.nodes[n];
  std::vector<const Tensor*> constants = constants_of(node);
  constants[1] = &weights;
  if (bias != nullptr) constants[2] = bias;
  return std::move(run(node, quantized_, constants)[0]);
}

void Walk::run_quantized(std::size_t n, const quant::Parameters& parameters, Batches computed) {
  const ir::Node& node = graph_.nodes[n];
  if (parameters.weights[n]) {
    store(node.outputs[0], std::move(computed), parameters);
    return;
  }
  std::vector<Batches> outputs = run(node, quantized_, constants_of(node));
  for (std::size_t i = 0; i < outputs.size(); ++i)
    store(node.outputs[i], std::move(outputs[i]), parameters);
}

void Walk::finish(std::size_t n) {
  for (std::size_t v = 0; v < last_reader_.size(); ++v)
    if (last_reader_[v] == n) {
      real_[v].clear();
      quantized_[v].clear();
    }
}

}  // namespace halftone::ptq
