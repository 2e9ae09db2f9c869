#include "halftone/analysis/layer_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "halftone/analysis/sum_batches.h"
#include "halftone/base/error.h"

namespace halftone::analysis {
namespace {

// A graph that gives chosen values of another one.
class Observed {
 public:
  explicit Observed(const ir::Graph& graph) : graph_(graph) { graph_.outputs.clear(); }

  // The place of the value among the outputs.
  std::size_t add(ir::ValueId id) {
    const auto [at, added] = places_.try_emplace(id, graph_.outputs.size());
    if (added) graph_.outputs.push_back(id);
    return at->second;
  }
  ir::Graph graph() const { return ir::without_dead_nodes(graph_); }

 private:
  ir::Graph graph_;
  std::map<ir::ValueId, std::size_t> places_;
};

// Where the outputs of the two observed graphs say what.
struct ActivationPlaces {
  std::size_t x = 0;
  std::size_t x_hat = 0;
};
struct ResultPlaces {
  std::size_t y = 0;
  std::size_t y_hat = 0;
  bool second_is_channel = false;  // of [N, C, …]; otherwise the last
};

// The sums that one batch adds.
struct BatchErrors {
  std::vector<TensorError> activations;
  std::vector<ResultError> results;
};

// The numbers that belong to the batch's own samples: what fills up a fixed batch stands behind them.
std::span<const float> own_part(const Tensor& tensor, const calibration::Batch& batch) {
  const auto all = tensor.data<float>();
  const bool rows = tensor.rank() > 0 && tensor.dim(0) > 0 && tensor.dim(0) % batch.rows == 0;
  if (batch.count == batch.rows || !rows) return all;
  return all.first(all.size() / static_cast<std::size_t>(batch.rows) * static_cast<std::size_t>(batch.count));
}

std::int64_t count_of_own_rows(const Tensor& tensor, const calibration::Batch& batch) {
  const std::size_t all = tensor.data<float>().size();
  return all == 0 ? 0 : tensor.dim(0) * static_cast<std::int64_t>(own_part(tensor, batch).size()) / static_cast<std::int64_t>(all);
}

void expect_finite(const std::string& what, std::span<const float> values, const calibration::Batch& batch) {
  const auto bad = std::ranges::find_if(values, [](float v) { return !std::isfinite(v); });
  if (bad == values.end()) return;
  const auto place = bad - values.begin();
  const std::int64_t row = place * batch.count / static_cast<std::int64_t>(values.size());
  throw InputError(what, fmt::format("sample {}, got {}, expected finite numbers", batch.first + row,
                                     std::isnan(*bad) ? "not a number (NaN)" : "infinity"));
}

class Observation {
 public:
  Observation(const MatchedModels& models, const calibration::MakeExecutor& make_executor) : models_(models) {
    Observed real(models.real);
    Observed quantized(models.quantized);
    for (const MatchedActivation& a : models.activations)
      activations_.push_back({real.add(a.value), quantized.add(a.simulated)});
    for (const MatchedLayer& layer : models.layers) {
      const ir::Node& node = models.real.nodes[layer.node];
      const bool conv =
          std::holds_alternative<ir::Conv>(node.op) || std::holds_alternative<ir::ConvTranspose>(node.op);
      results_.push_back({real.add(node.outputs[0]), quantized.add(layer.computed), conv});
    }
    real_ = make_executor(real.graph());
    quantized_ = make_executor(quantized.graph());
    for (const MatchedActivation& a : models.activations)
      total_.activations.push_back(unseen(a.name, a.params));
    for (const MatchedLayer& layer : models.layers) total_.weights.push_back(weights_of(layer));
    total_.results.resize(models.layers.size());
  }

  LayerErrors run(const calibration::Samples& samples, const calibration::BatchOptions& options) {
    sum_batches<BatchErrors>(
        samples, options, [this](const calibration::Batch& batch) { return errors_of(batch); },
        [this](const BatchErrors& batch) { add(batch); });
    for (TensorError& error : total_.activations) finish(error);
    return std::move(total_);
  }

 private:
  TensorError weights_of(const MatchedLayer& layer) const {
    const ir::Value& weights = models_.real.value(models_.real.nodes[layer.node].inputs[1]);
    expect_finite(fmt::format("weights '{}'", weights.name), weights.constant->data<float>(),
                  {.count = 1, .rows = 1});
    return weight_error(weights.name, *weights.constant, layer);
  }

  BatchErrors errors_of(const calibration::Batch& batch) {
    // The first layer computes with the inputs, which executors may refuse without naming it.
    for (const Tensor& input : batch.inputs)
      if (input.dtype() == DType::float32 && !models_.layers.empty())
        expect_finite(fmt::format("layer '{}'", models_.layers[0].name), own_part(input, batch), batch);
    const std::vector<Tensor> x = real_->run(batch.inputs);
    for (std::size_t i = 0; i < results_.size(); ++i)
      expect_finite(fmt::format("layer '{}'", models_.layers[i].name), own_part(x[results_[i].y], batch),
                    batch);
    for (std::size_t i = 0; i < activations_.size(); ++i)
      expect_finite(fmt::format("value '{}'", models_.activations[i].name),
                    own_part(x[activations_[i].x], batch), batch);
    const std::vector<Tensor> y = quantized_->run(batch.inputs);
    BatchErrors errors;
    for (std::size_t i = 0; i < activations_.size(); ++i)
      errors.activations.push_back(activation_error(i, x, y, batch));
    for (const ResultPlaces& places : results_)
      errors.results.push_back(result_error(places, x[places.y], y[places.y_hat], batch));
    return errors;
  }

  TensorError activation_error(std::size_t i, const std::vector<Tensor>& x, const std::vector<Tensor>& y,
                               const calibration::Batch& batch) {
    const ActivationPlaces& places = activations_[i];
    TensorError error{.params = models_.activations[i].params};
    const auto values = own_part(x[places.x], batch);
    error.signal.add(values, own_part(y[places.x_hat], batch));
    error.channels.add(x[places.x], y[places.x_hat], count_of_own_rows(x[places.x], batch));
    add_quantized(error, values);
    calibration::Histogram seen;
    seen.observe(values);
    const std::lock_guard lock(mutex_);  // histograms add up to the same in any order
    total_.activations[i].seen.merge(seen);
    return error;
  }

  static ResultError result_error(const ResultPlaces& places, const Tensor& y, const Tensor& y_hat,
                                  const calibration::Batch& batch) {
    ResultError error;
    const auto a = own_part(y, batch);
    const auto b = own_part(y_hat, batch);
    error.signal.add(a, b);
    const std::size_t axis = places.second_is_channel ? 1 : y.rank() - 1;
    const auto inner = static_cast<std::size_t>(product(y.shape(), axis + 1, y.rank()));
    error.channels.resize(static_cast<std::size_t>(y.dim(axis)));
    for (std::size_t i = 0; i < a.size(); ++i)
      error.channels[i / inner % error.channels.size()] += double{a[i]} - b[i];
    return error;
  }

  void add(const BatchErrors& batch) {
    for (std::size_t i = 0; i < batch.activations.size(); ++i)
      add_sums(total_.activations[i], batch.activations[i]);
    for (std::size_t i = 0; i < batch.results.size(); ++i) {
      ResultError& result = total_.results[i];
      result.signal.add(batch.results[i].signal);
      result.channels.resize(batch.results[i].channels.size());
      for (std::size_t c = 0; c < result.channels.size(); ++c)
        result.channels[c] += batch.results[i].channels[c];
    }
  }

  const MatchedModels& models_;
  std::vector<ActivationPlaces> activations_;
  std::vector<ResultPlaces> results_;
  std::unique_ptr<ir::Executor> real_;
  std::unique_ptr<ir::Executor> quantized_;
  LayerErrors total_;
  std::mutex mutex_;
};

}  // namespace

double ResultError::mean_share() const {
  if (signal.dd == 0.0 || channels.empty()) return 0.0;
  const double each = static_cast<double>(signal.count) / static_cast<double>(channels.size());
  double squares = 0.0;
  for (double sum : channels) squares += sum * sum;
  return squares / each / signal.dd;
}

LayerErrors observe_errors(const MatchedModels& models, const calibration::Samples& samples, const calibration::BatchOptions& options,
                           const calibration::MakeExecutor& make_executor) {
  if (samples.size() == 0) throw InputError("analyze", "no samples, expected 1 or more");
  return Observation(models, make_executor).run(samples, options);
}

}  // namespace halftone::analysis
