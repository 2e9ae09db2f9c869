#include "halftone/analysis/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <numeric>

#include "halftone/analysis/evaluate.h"
#include "halftone/analysis/signal_error.h"
#include "halftone/base/error.h"
#include "halftone/base/parallel_for.h"

namespace halftone::analysis {
namespace {

// Rows whose float outputs are kept while every other network runs on them.
constexpr std::int64_t kRound = 512;

constexpr LayerParts kWhole{true, true, true, true};

// A network to run, and what it came to so far.
struct Trial {
  std::optional<std::size_t> layer;  // none: the quantized network
  LayerParts parts;
  SignalSums outputs{};
  ChannelErrors channels{};
  std::int64_t correct = 0;
};

struct BatchResult {
  SignalSums outputs;
  ChannelErrors channels;
  std::int64_t correct = 0;
};

std::int64_t count_correct(const Tensor& scores, const calibration::Batch& batch, const calibration::Samples& samples) {
  if (samples.labels.empty()) return 0;
  const std::int64_t width = batch.count == 0 ? 0 : scores.size() / batch.count;
  if (scores.rank() < 2 || width < samples.classes)
    throw InputError("analyze", fmt::format("labels of '{}', got {} among them, expected 0 to {}: the output has {} scores",
                                            samples.name, samples.classes - 1, width - 1, width));
  const std::vector<std::int32_t> predicted = predictions(scores);
  return std::inner_product(predicted.begin(), predicted.end(), samples.labels.begin() + batch.first,
                            std::int64_t{0}, std::plus<>(), std::equal_to<>());
}

class Measurement {
 public:
  Measurement(const MatchedModels& models, const calibration::Samples& samples, const calibration::BatchOptions& options,
              const calibration::MakeExecutor& make_executor, std::size_t output)
      : models_(models),
        samples_(samples),
        options_(options),
        make_executor_(make_executor),
        output_(output),
        size_(std::max<std::int64_t>(options.batch_size, 1)) {
    trials_.push_back({});
    for (std::size_t layer = 0; layer < models.layers.size(); ++layer) add_trials(layer);
  }

  Sensitivity run() {
    const std::int64_t round = (kRound + size_ - 1) / size_ * size_;
    for (std::int64_t first = 0; first < samples_.size(); first += round)
      run_round(first, std::min(samples_.size(), first + round));
    Sensitivity result{.samples = samples_.size()};
    if (!samples_.labels.empty()) {
      result.real_accuracy = percent(real_correct_);
      result.quantized_accuracy = percent(trials_[0].correct);
    }
    result.network = harm(trials_[0]);
    for (std::size_t layer = 0; layer < models_.layers.size(); ++layer)
      result.layers.push_back(layer_harm(layer));
    return result;
  }

 private:
  // A network for each part, and one for all of them when they are several.
  void add_trials(std::size_t layer) {
    const LayerParts all = parts_that_change(models_, layer, kWhole);
    const std::size_t before = trials_.size();
    const auto add = [&](bool changes, const LayerParts& parts) {
      if (changes) trials_.push_back({layer, parts});
    };
    add(all.weights, {.weights = true});
    add(all.activation, {.activation = true});
    add(all.bias, {.bias = true});
    add(all.requantization, {.requantization = true});
    if (trials_.size() > before + 1) trials_.push_back({layer, all});
  }

  void run_round(std::int64_t first, std::int64_t last) {
    const auto batches = static_cast<std::size_t>((last - first + size_ - 1) / size_);
    std::vector<Tensor> real(batches);
    std::vector<std::int64_t> correct(batches);
    const auto network = make_executor_(models_.real);
    for_batches_of(first, last, [&](std::size_t b, const calibration::Batch& batch) {
      real[b] = output_of(*network, batch);
      correct[b] = count_correct(real[b], batch, samples_);
    });
    for (std::int64_t count : correct) real_correct_ += count;
    for (Trial& trial : trials_) run_trial(trial, first, last, real);
  }

  void run_trial(Trial& trial, std::int64_t first, std::int64_t last, const std::vector<Tensor>& real) {
    const auto network =
        make_executor_(trial.layer ? mixed_network(models_, *trial.layer, trial.parts) : models_.quantized);
    std::vector<BatchResult> results(real.size());
    for_batches_of(first, last, [&](std::size_t b, const calibration::Batch& batch) {
      const Tensor y = output_of(*network, batch);
      results[b] = {signal_sums(real[b], y), {}, count_correct(y, batch, samples_)};
      results[b].channels.add(real[b].cast(DType::float32), y.cast(DType::float32), batch.count);
    });
    for (const BatchResult& result : results) {
      trial.outputs.add(result.outputs);
      trial.channels.add(result.channels);
      trial.correct += result.correct;
    }
  }

  void for_batches_of(std::int64_t first, std::int64_t last,
                      const std::function<void(std::size_t, const calibration::Batch&)>& body) {
    const std::int64_t all =
        (samples_.size() + size_ - 1) / size_ * (static_cast<std::int64_t>(trials_.size()) + 1);
    parallel_for((last - first + size_ - 1) / size_, options_.threads, [&](std::int64_t b) {
      const std::int64_t begin = first + b * size_;
      calibration::with_batch(samples_, begin, std::min(last, begin + size_), options_,
                 [&](const calibration::Batch& batch) { body(static_cast<std::size_t>(b), batch); });
      const std::lock_guard lock(mutex_);
      ++done_;
      if (options_.progress) options_.progress(static_cast<double>(done_) / static_cast<double>(all));
    });
  }

  Tensor output_of(const ir::Executor& network, const calibration::Batch& batch) const {
    return calibration::output_rows(network.run(batch.inputs).at(output_), batch, "analyze");
  }

  double percent(std::int64_t correct) const {
    return 100.0 * static_cast<double>(correct) / static_cast<double>(samples_.size());
  }

  Harm harm(const Trial& trial) const {
    Harm result{.output_error = trial.outputs.relative_rms(), .worst = trial.channels.worst()};
    if (!samples_.labels.empty()) result.accuracy_drop = percent(real_correct_ - trial.correct);
    return result;
  }

  Harm harm_of(std::size_t layer, const LayerParts& parts) const {
    const LayerParts changing = parts_that_change(models_, layer, parts);
    for (const Trial& trial : trials_)
      if (trial.layer == layer && trial.parts == changing) return harm(trial);
    return samples_.labels.empty() ? Harm{} : Harm{.accuracy_drop = 0.0};
  }

  LayerHarm layer_harm(std::size_t layer) const {
    return {.whole = harm_of(layer, kWhole),
            .weights = harm_of(layer, {.weights = true}),
            .activation = harm_of(layer, {.activation = true}),
            .bias = harm_of(layer, {.bias = true}),
            .requantization = harm_of(layer, {.requantization = true})};
  }

  const MatchedModels& models_;
  const calibration::Samples& samples_;
  const calibration::BatchOptions& options_;
  const calibration::MakeExecutor& make_executor_;
  std::size_t output_;
  std::int64_t size_;
  std::vector<Trial> trials_;
  std::int64_t real_correct_ = 0;
  std::mutex mutex_;
  std::int64_t done_ = 0;
};

}  // namespace

Sensitivity measure_harm(const MatchedModels& models, const calibration::Samples& samples, const calibration::BatchOptions& options,
                         const calibration::MakeExecutor& make_executor, std::size_t output) {
  if (samples.size() == 0) throw InputError("analyze", "no samples, expected 1 or more");
  return Measurement(models, samples, options, make_executor, output).run();
}

}  // namespace halftone::analysis
