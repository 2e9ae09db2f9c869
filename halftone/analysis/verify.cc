#include "halftone/analysis/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>

#include "halftone/analysis/evaluate.h"
#include "halftone/ir/interpreter.h"
#include "halftone/lower/qoperators.h"

namespace halftone::analysis {
namespace {

constexpr double kFloatRounding = 0x1p-21;  // eight float32 roundings of relative 2^−24

// The facts about a layer by which its integers are judged.
struct Judge {
  std::string real_name;  // the float value its QuantizeLinear reads
  numeric::QuantParams params;
  std::int32_t lo = 0;
  std::int32_t hi = 0;
  double tolerance = 0.0;
};

// How many steps a value has, and how large one is.
struct Steps {
  double range = 0.0;
  double scale = 1.0;
};

Steps steps_of(const qgraph::Value& value) {
  return {static_cast<double>(value.grid->format.qmax() - value.grid->format.qmin()),
          value.grid->affine.scale};
}

// Weights by group have a float bias in the file, and one of the accumulator's steps in integers. A rounded multiplier of a group is off by
// half at most: groups that cancel leave more of that than their sum says.
double group_tolerance(const qgraph::Linear& linear, double x_range, bool rounds_multipliers) {
  double most = 0.0;
  std::vector<std::int32_t> row(static_cast<std::size_t>(linear.reduction));
  const std::vector<int>& shifts = std::get<qgraph::Shift>(linear.requantizer.scaling).shift;
  for (std::size_t m = 0; m < shifts.size(); ++m) {
    double weights = 0.0;
    if (rounds_multipliers) qgraph::centred_row(linear, static_cast<std::int64_t>(m), row);
    for (std::int32_t w : row) weights += std::abs(w);
    most = std::max(most, std::ldexp(0.5, -shifts[m]) * (1.0 + x_range * weights));
  }
  return most;
}

double sum_tolerance(const qgraph::Linear& linear, double s_x, double s_y) {
  double most = 0.0;
  for (std::size_t c = 0; c < linear.bound.size(); ++c) {
    const auto bound = static_cast<double>(linear.bound[c]);
    if (linear.group_size > 0) {  // its sums are steps of y, times 2^shift
      most = std::max(most, std::ldexp(bound, -std::get<qgraph::Shift>(linear.requantizer.scaling).shift[c]));
      continue;
    }
    const double s_w = linear.w_params.affine[linear.w_params.affine.size() == 1 ? 0 : c].scale;
    most = std::max(most, bound * s_x * s_w / s_y);
  }
  return most * kFloatRounding;
}

// Scale, zero point and bounds come from the file's own Quantize nodes, not from the integers that are
// judged.
std::map<std::string, Judge, std::less<>> make_judges(const ir::Graph& simulated,
                                                      const qgraph::QuantizedGraph& graph) {
  std::map<std::string, const qgraph::Node*> nodes;
  for (const qgraph::Node& node : graph.nodes) nodes[graph.value(node.output()).name] = &node;
  std::map<std::string, Judge, std::less<>> judges;
  for (const ir::Node& node : simulated.nodes) {
    const auto* quantize = std::get_if<ir::QuantizeLinear>(&node.op);
    if (quantize == nullptr) continue;
    const ir::Value& y = simulated.value(node.outputs[0]);
    const auto found = nodes.find(y.name);
    const Tensor* scale = simulated.constant(node.inputs[1]);
    const Tensor* zero = node.inputs.size() > 2 ? simulated.constant(node.inputs[2]) : nullptr;
    if (found == nodes.end() || scale == nullptr || !graph.value(found->second->output()).grid) continue;
    const numeric::QuantParams params =
        ir::linear_params(*quantize, *scale, zero, y.dtype, y.shape, y.name);
    judges[y.name] = {.real_name = simulated.value(node.inputs[0]).name,
                      .params = params,
                      .lo = params.format.qmin(),
                      .hi = params.format.qmax(),
                      .tolerance = rounding_tolerance(*found->second, graph)};
  }
  return judges;
}

std::vector<std::int64_t> to_int64(const Tensor& integers) {
  const Tensor wide = integers.cast(DType::int64);
  return {wide.data<std::int64_t>().begin(), wide.data<std::int64_t>().end()};
}

// Integers that no Quantize made here, but a move or an island: they are the same or wrong.
LayerComparison compare_exactly(const std::string& name, const Tensor& simulated, const Tensor& integers,
                                std::int64_t first_row) {
  LayerComparison result{.name = name, .compared = simulated.size()};
  const auto a = to_int64(simulated);
  const auto b = to_int64(integers);
  const std::int64_t row =
      integers.rank() == 0 || integers.dim(0) == 0 ? 1 : integers.size() / integers.dim(0);
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (a[i] == b[i]) continue;
    if (result.different++ == 0) {
      result.first_row = first_row + static_cast<std::int64_t>(i) / row;
      result.first_element = static_cast<std::int64_t>(i) % row;
    }
    result.max_difference = std::max<std::int64_t>(result.max_difference, std::abs(a[i] - b[i]));
  }
  result.unexplained = result.different;
  return result;
}

// Compares one batch of one layer.
LayerComparison compare(const std::string& name, const Judge& judge, const Tensor& real,
                        const Tensor& simulated, const Tensor& integers, std::int64_t first_row) {
  LayerComparison result{.name = name, .tolerance = judge.tolerance};
  const auto a = numeric::to_int32(simulated);
  const auto b = numeric::to_int32(integers);
  const auto r = real.data<float>();
  const numeric::Affine affine = judge.params.tensor();
  const std::int64_t row =
      integers.rank() == 0 || integers.dim(0) == 0 ? 1 : integers.size() / integers.dim(0);
  for (std::size_t i = 0; i < b.size(); ++i) {
    ++result.compared;
    const double steps =
        std::clamp<double>(static_cast<double>(r[i]) / static_cast<double>(affine.scale) + affine.zero_point,
                           judge.lo, judge.hi);
    const bool nearest = std::fabs(b[i] - steps) <= 0.5 + judge.tolerance;
    const bool unexplained = !nearest || std::abs(a[i] - b[i]) > 1.0 + std::ceil(2.0 * judge.tolerance);
    if (a[i] == b[i] && !unexplained) continue;
    const bool first = result.first_row < 0 || (unexplained && result.unexplained == 0);
    result.different += a[i] != b[i] ? 1 : 0;
    result.unexplained += unexplained ? 1 : 0;
    result.max_difference = std::max<std::int64_t>(result.max_difference, std::abs(a[i] - b[i]));
    if (!first) continue;
    result.first_row = first_row + static_cast<std::int64_t>(i) / row;
    result.first_element = static_cast<std::int64_t>(i) % row;
  }
  return result;
}

void merge(LayerComparison& into, const LayerComparison& from) {
  const bool earlier = from.first_row >= 0 && (into.first_row < 0 || from.first_row < into.first_row);
  if ((from.unexplained > 0) == (into.unexplained > 0) ? earlier : from.unexplained > 0) {
    into.first_row = from.first_row;
    into.first_element = from.first_element;
  }
  into.compared += from.compared;
  into.different += from.different;
  into.unexplained += from.unexplained;
  into.max_difference = std::max(into.max_difference, from.max_difference);
  into.tolerance = from.tolerance;
}

std::int64_t count_different(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return a.size();
  const auto x = to_int64(a);
  const auto y = to_int64(b);
  std::int64_t count = 0;
  for (std::size_t i = 0; i < x.size(); ++i) count += x[i] != y[i] ? 1 : 0;
  return count;
}

// Where a row's largest number is; a NaN is never larger.
std::int64_t place_of_largest(std::span<const double> row) {
  return std::max_element(row.begin(), row.end()) - row.begin();
}

OutputComparison compare_outputs(const std::string& name, const Tensor& simulated, const Tensor& integers,
                                 const calibration::Batch& batch) {
  OutputComparison result{.name = name};
  const Tensor real_a = simulated.cast(DType::float64);
  const Tensor real_b = integers.cast(DType::float64);
  const auto a = real_a.data<double>();
  const auto b = real_b.data<double>();
  if (simulated.shape() != integers.shape())
    throw InputError(name, fmt::format("simulated output of shape {}, got {} in integers",
                                       to_string(simulated.shape()), to_string(integers.shape())));
  const bool by_row = integers.rank() > 0 && integers.dim(0) == batch.rows;
  const std::size_t row =
      by_row && batch.rows > 0 ? a.size() / static_cast<std::size_t>(batch.rows) : a.size();
  const std::size_t count = by_row ? row * static_cast<std::size_t>(batch.count) : a.size();
  result.compared = static_cast<std::int64_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    ++result.different;
    result.max_difference = std::max(result.max_difference, std::fabs(a[i] - b[i]));
  }
  for (std::size_t i = 0; row > 0 && integers.rank() > 1 && i + row <= count; i += row)
    result.predictions_different +=
        place_of_largest(a.subspan(i, row)) != place_of_largest(b.subspan(i, row)) ? 1 : 0;
  return result;
}

void merge(OutputComparison& into, const OutputComparison& from) {
  into.compared += from.compared;
  into.different += from.different;
  into.max_difference = std::max(into.max_difference, from.max_difference);
  into.predictions_different += from.predictions_different;
}

void merge(EngineComparison& into, const EngineComparison& from) {
  into.compared += from.compared;
  into.different += from.different;
  if (into.first_value.empty()) into.first_value = from.first_value;
}

using Integers = std::map<std::string, Tensor, std::less<>>;

// The simulation with each layer's integers put in place of its own; returns what each layer's own were.
std::vector<LayerComparison> layer_by_layer(const ir::Interpreter& simulation, const calibration::Batch& batch,
                                            const Integers& integers,
                                            const std::map<std::string, Judge, std::less<>>& judges) {
  const auto own = [&](const Tensor& value) { return calibration::own_rows(value, batch); };
  std::vector<LayerComparison> result;
  Integers real;
  simulation.run(batch.inputs, [&](std::string_view name, Tensor& value) {
    if (is_float(value.dtype())) {
      real.insert_or_assign(std::string(name), value);
      return;
    }
    const auto mine = integers.find(name);
    if (mine == integers.end() || mine->second.shape() != value.shape()) {
      // The file has these integers and the network computes none under their name.
      result.push_back({.name = std::string(name), .different = value.size(), .unexplained = value.size()});
      return;
    }
    const auto judge = judges.find(name);
    result.push_back(judge != judges.end()
                         ? compare(judge->first, judge->second, own(real.at(judge->second.real_name)), own(value),
                                   own(mine->second), batch.first)
                         : compare_exactly(std::string(name), own(value), own(mine->second), batch.first));
    value = mine->second;
  });
  return result;
}

}  // namespace

const LayerComparison* Verification::worst() const {
  const auto worse = [](const LayerComparison& a, const LayerComparison& b) {
    return std::pair(a.unexplained, a.different) < std::pair(b.unexplained, b.different);
  };
  const auto most = std::max_element(layers.begin(), layers.end(), worse);
  return most == layers.end() || (most->different == 0 && most->unexplained == 0) ? nullptr : &*most;
}

double rounding_tolerance(const qgraph::Node& node, const qgraph::QuantizedGraph& graph) {
  const Steps y = steps_of(graph.value(node.output()));
  std::vector<Steps> x;
  for (qgraph::ValueId id : node.inputs)
    if (graph.value(id).grid) x.push_back(steps_of(graph.value(id)));
  double tolerance = y.range * kFloatRounding;
  for (const Steps& input : x) tolerance += input.range * input.scale / y.scale * kFloatRounding;
  // That of multipliers which several sums share; the others have their own.
  const bool fixed = graph.arithmetic.mode == numeric::Arithmetic::fixed;
  const double shared = fixed ? std::ldexp(1.0, 1 - graph.arithmetic.mantissa_bits) : 0.0;
  if (const qgraph::Linear* linear = qgraph::linear_of(node.op)) {
    tolerance += sum_tolerance(*linear, x.at(0).scale, y.scale);
    if (linear->group_size > 0) return tolerance + group_tolerance(*linear, x.at(0).range, fixed);
    return tolerance + y.range * qgraph::mantissa_error(linear->requantizer);
  }
  if (std::holds_alternative<qgraph::Add>(node.op))
    return tolerance + (x.at(0).range + x.at(1).range) * std::max(x[0].scale, x[1].scale) / y.scale * shared;
  // A product of two steps' worth of rounding each in float32; the multiplier's mantissa on the whole.
  if (const auto* mul = std::get_if<qgraph::Mul>(&node.op))
    return y.range * (3.0 * kFloatRounding + qgraph::mantissa_error(mul->requantizer)) +
           x.at(0).range * x[0].scale * x.at(1).range * x[1].scale / y.scale * 3.0 * kFloatRounding;
  if (const auto* pool = std::get_if<qgraph::AveragePool>(&node.op))
    return tolerance + y.range * qgraph::mantissa_error(pool->requantizer);
  const auto* moved = std::get_if<qgraph::Requantize>(&node.op);
  return tolerance + (moved != nullptr ? y.range * qgraph::mantissa_error(moved->requantizer) : 0.0);
}

namespace {

// The comparison of one batch.
struct BatchResult {
  std::vector<LayerComparison> layers;
  std::vector<OutputComparison> outputs;
  std::vector<EngineComparison> engines;
  std::int64_t end_to_end_different = 0;
};

void add_value(EngineComparison& engine, const std::string& name, const Tensor& mine, const Tensor& other) {
  const std::size_t size = size_of(mine.dtype());
  engine.compared += mine.size();
  const std::int64_t of_another_kind = mine.dtype() == other.dtype() && mine.shape() == other.shape() ? 0 : mine.size();
  for (std::size_t i = 0; of_another_kind == 0 && !(mine == other) && i < mine.byte_size(); i += size)
    engine.different += std::memcmp(mine.bytes().data() + i, other.bytes().data() + i, size) != 0 ? 1 : 0;
  engine.different += of_another_kind;
  if (engine.different > 0 && engine.first_value.empty()) engine.first_value = name;
}

EngineComparison compare_engine(const Engine& engine, const calibration::Batch& batch, const Integers& integers,
                                const std::vector<Tensor>& outputs) {
  EngineComparison result{.name = engine.name};
  std::size_t seen = 0;
  engine.executor.run(batch.inputs, [&](std::string_view name, Tensor& value) {
    const auto mine = integers.find(name);
    if (mine == integers.end() || is_float(value.dtype())) return;
    ++seen;
    add_value(result, mine->first, mine->second, value);
  });
  if (seen != integers.size()) throw InputError(engine.name, fmt::format("{} integer values, expected {}", seen, integers.size()));
  const std::vector<Tensor> own = engine.executor.run(batch.inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) add_value(result, fmt::format("output {}", i + 1), outputs[i], own.at(i));
  return result;
}

BatchResult verify_batch(const ir::Graph& graph, const ir::Interpreter& simulation,
                         const ir::Executor& integers, const calibration::Batch& batch,
                         const std::map<std::string, Judge, std::less<>>& judges, const std::vector<Engine>& engines) {
  BatchResult result;
  Integers mine;
  const std::vector<Tensor> outputs = integers.run(batch.inputs, [&](std::string_view name, Tensor& value) {
    if (!is_float(value.dtype())) mine.emplace(name, value);
  });
  for (const Engine& engine : engines) result.engines.push_back(compare_engine(engine, batch, mine, outputs));
  result.layers = layer_by_layer(simulation, batch, mine, judges);
  const std::vector<Tensor> free = simulation.run(batch.inputs, [&](std::string_view name, Tensor& value) {
    const auto found = mine.find(name);
    if (!is_float(value.dtype()) && found != mine.end())
      result.end_to_end_different += count_different(calibration::own_rows(value, batch), calibration::own_rows(found->second, batch));
  });
  for (std::size_t i = 0; i < outputs.size(); ++i)
    result.outputs.push_back(
        compare_outputs(graph.value(graph.outputs[i]).name, free.at(i), outputs[i], batch));
  return result;
}

}  // namespace

Verification verify(const ir::Graph& file, const ir::Executor& integers, const qgraph::QuantizedGraph& graph,
                    const data::Dataset& dataset, const data::Preprocessing& preprocessing,
                    const calibration::BatchOptions& options) {
  return verify(file, integers, graph, calibration::samples_of(dataset, preprocessing), options);
}

Verification verify(const ir::Graph& file, const ir::Executor& integers, const qgraph::QuantizedGraph& graph,
                    const calibration::Samples& samples, const calibration::BatchOptions& options,
                    const std::vector<Engine>& engines) {
  const ir::Graph simulated = lower::with_pairs(file);
  const ir::Interpreter simulation(simulated);
  const auto judges = make_judges(simulated, graph);
  std::map<std::string, LayerComparison> layers;
  Verification result{.samples = samples.size()};
  for (ir::ValueId id : simulated.outputs) result.outputs.push_back({.name = simulated.value(id).name});
  for (const Engine& engine : engines) result.engines.push_back({.name = engine.name});
  std::mutex mutex;
  calibration::for_batches(samples, options, [&](const calibration::Batch& batch) {
    const BatchResult own = verify_batch(simulated, simulation, integers, batch, judges, engines);
    const std::lock_guard lock(mutex);
    for (const LayerComparison& layer : own.layers) {
      const auto [at, added] = layers.try_emplace(layer.name, layer);
      if (!added) merge(at->second, layer);
    }
    for (std::size_t i = 0; i < own.outputs.size(); ++i) merge(result.outputs[i], own.outputs[i]);
    for (std::size_t i = 0; i < own.engines.size(); ++i) merge(result.engines[i], own.engines[i]);
    result.end_to_end_different += own.end_to_end_different;
  });
  if (!result.outputs.empty()) result.predictions_different = result.outputs[0].predictions_different;
  for (const ir::Node& node : simulated.nodes) {
    const auto found = layers.find(simulated.value(node.outputs[0]).name);
    if (found == layers.end()) continue;
    result.layers.push_back(found->second);
    result.compared += found->second.compared;
    result.different += found->second.different;
    result.unexplained += found->second.unexplained;
  }
  return result;
}

}  // namespace halftone::analysis
