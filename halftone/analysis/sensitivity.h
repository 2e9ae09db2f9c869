// The harm each layer does by itself: what a network loses when that layer alone is quantized.
#pragma once

#include <optional>

#include "halftone/calibration/batches.h"
#include "halftone/analysis/channel_error.h"
#include "halftone/analysis/mixed_network.h"
#include "halftone/ptq/walk.h"

namespace halftone::analysis {

// The harm of one network beside the float network, over the same samples.
struct Harm {
  double output_error = 0.0;  // ‖y − r‖ / ‖r‖, y and r the outputs of this and of the float network
  std::optional<double> accuracy_drop;  // in percentage points, float less this one; none without labels
  std::optional<ChannelError> worst;    // of the output's channels
  bool operator==(const Harm&) const = default;
};

// One layer quantized, all others float; then one part of it alone. A part that changes nothing does no harm.
struct LayerHarm {
  Harm whole;
  Harm weights;
  Harm activation;
  Harm bias;
  Harm requantization;
  bool operator==(const LayerHarm&) const = default;
};

struct Sensitivity {
  std::int64_t samples = 0;
  std::optional<double> real_accuracy;  // in percent; none without labels
  std::optional<double> quantized_accuracy;
  Harm network;                   // of the whole quantized network
  std::vector<LayerHarm> layers;  // as MatchedModels has them
};

// `output` is the one that is compared, and whose largest number is the class (analysis::evaluate). The
// quantized network is run as its float meaning. Memory does not grow with the number of samples, and the
// result is the same for any number of threads.
Sensitivity measure_harm(const MatchedModels& models, const calibration::Samples& samples, const calibration::BatchOptions& options,
                         const calibration::MakeExecutor& make_executor, std::size_t output = 0);

}  // namespace halftone::analysis
