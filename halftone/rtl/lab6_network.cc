#include "halftone/rtl/lab6_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/numeric/fixed_point.h"

namespace halftone::rtl {
namespace {

constexpr std::int64_t kRows = 64;  // of a product

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

[[noreturn]] void refuse(const std::string& got) {
  throw UnsupportedError("--lab6", fmt::format("got {}, expected Flatten, Gemm, Tanh, Gemm, Tanh, Gemm without biases, as halftone train mlp makes it", got));
}

// x [rows][inputs] times W transposed.
std::vector<double> times(const std::vector<double>& x, std::int64_t inputs, std::int64_t outputs, const std::vector<std::int32_t>& w) {
  const std::int64_t rows = static_cast<std::int64_t>(x.size()) / inputs;
  std::vector<double> y(at(rows * outputs));
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t o = 0; o < outputs; ++o) {
      double sum = 0;
      for (std::int64_t i = 0; i < inputs; ++i) sum += x[at(r * inputs + i)] * w[at(o * inputs + i)];
      y[at(r * outputs + o)] = sum;
    }
  return y;
}

}  // namespace

Lab6Network::Lab6Network(const ir::Graph& graph, const Lab6Options& options, const std::filesystem::path& kept) : options_(options) {
  std::string ops;
  for (const ir::Node& node : graph.nodes) {
    const std::string op(ir::name_of(node.op));
    if (op != "Flatten") ops += op + " ";
    if (op != "Gemm") continue;
    const Tensor* w = graph.constant(node.inputs.at(1));
    if (w == nullptr || node.inputs.size() > 2 || !std::get<ir::Gemm>(node.op).trans_b) refuse(ir::describe(graph, node));
    Weights layer{.outputs = w->dim(0), .inputs = w->dim(1)};
    for (float v : w->data<float>()) layer.w.push_back(numeric::to_fixed_point(v, {8, options.weight_fraction}));
    layers_.push_back(std::move(layer));
  }
  if (ops != "Gemm Tanh Gemm Tanh Gemm ") refuse(ops.empty() ? "an empty network" : ops);
  const Weights& second = layers_[1];
  design_ = {.shape = {kRows, second.inputs, second.outputs}, .floats = 0, .clamp = options.clamp};
  for (std::int64_t k = 0; k < second.inputs; ++k)
    for (std::int64_t j = 0; j < second.outputs; ++j) b_.push_back(static_cast<std::uint8_t>(second.w[at(j * second.inputs + k)]));
  simulation_ = std::make_unique<Simulation>(top_of(design_), kept);
}

std::vector<std::uint32_t> Lab6Network::on_hardware(const std::vector<std::uint32_t>& a) const {
  const Outcome outcome = simulation_->run(job_of(design_, a, b_));
  const std::vector<std::uint32_t> expected = expected_results(design_, a, b_);
  std::vector<std::uint32_t> c;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    c.push_back(static_cast<std::uint32_t>(outcome.out.get(i, 0, 8)));
    checks_.different += c[i] != expected[i];
  }
  checks_.outputs += expected.size();
  checks_.cycles += static_cast<std::int64_t>(outcome.cycles);
  return c;
}

std::vector<Tensor> Lab6Network::run(std::span<const Tensor> inputs, const ir::Visitor&) const {
  const std::span<const float> pixels = inputs[0].data<float>();
  const Weights &first = layers_[0], &second = layers_[1], &third = layers_[2];
  std::vector<double> hidden = times({pixels.begin(), pixels.end()}, first.inputs, first.outputs, first.w);
  const std::int64_t rows = static_cast<std::int64_t>(hidden.size()) / first.outputs;
  std::vector<double> after;
  for (std::int64_t row = 0; row < rows; row += kRows) {
    std::vector<std::uint32_t> a(at(kRows * second.inputs));  // rows that are missing are 0
    const std::int64_t count = std::min(kRows, rows - row);
    for (std::int64_t i = 0; i < count * second.inputs; ++i)
      a[at(i)] = static_cast<std::uint8_t>(numeric::to_fixed_point(static_cast<float>(std::tanh(hidden[at(row * second.inputs + i)])), {8, options_.value_fraction}));
    const std::vector<std::uint32_t> c = on_hardware(a);
    for (std::int64_t i = 0; i < count * second.outputs; ++i) after.push_back(std::tanh(static_cast<double>(static_cast<std::int8_t>(c[at(i)]))));
  }
  std::vector<float> scores;
  for (double v : times(after, third.inputs, third.outputs, third.w)) scores.push_back(static_cast<float>(v));
  return {Tensor::from<float>({rows, third.outputs}, scores)};
}

}  // namespace halftone::rtl
