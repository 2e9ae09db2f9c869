// Doubts about a result that a user should know: a line each on standard error.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/calibration.h"
#include "cli/data_options.h"
#include "halftone/analysis/preparation_trials.h"
#include "halftone/quant/parameters.h"
#include "halftone/calibration/statistics.h"

namespace halftone::cli {

using Warnings = std::vector<std::string>;  // "[where] what"

void append(Warnings& all, Warnings more);

// Prints "warning: [where] what" for each, once the command's own lines are out.
void print(const Warnings& warnings);

// Pixels and labels as the samples have them, and who says so: "pixels prepared as imagenet: … (model.onnx)".
std::string preparation_text(const calibration::Samples& samples);
nlohmann::json preparation_json(const calibration::Samples& samples);

// Right answers of the model, a quantized one simulated, with every preset and label offset; see
// preparation_trials.h.
std::vector<analysis::PreparationTrial> preparation_trials(const ModelFile& model, const calibration::Samples& samples,
                                                           const DataOptions& data, std::size_t output = 0);

// Labelled samples of which the float network has hardly more right than chance, and the preset or label offset that
// would do; samples that change each other in one batch; and a network with one class more than a thousand. `right`, the percentage of
// right classes where it is known, saves a look.
Warnings preparation_warnings(const ModelFile& model, const calibration::Samples& samples, const DataOptions& data,
                              std::size_t output = 0, std::optional<double> right = std::nullopt);

// Samples that are unfit to choose ranges on. `graph` is the network that `seen` is of.
Warnings calibration_warnings(const ir::Graph& graph, const calibration::Samples& samples, const calibration::StatisticsTable& seen,
                              const DataOptions& data);

// Ranges of noise, which serve to time a network and nothing else.
Warnings noise_warnings(const DataOptions& data);

// Parts of joins, and channels, to which the scale they share leaves few steps, with what mends it. Channels are looked
// at where calibration looked at them.
Warnings lost_part_warnings(const ir::Graph& graph, const quant::Parameters& parameters, const calibration::StatisticsTable& seen,
                            const Looks& looks);
// "--output-bits 16", or a rule of a recipe for this value.
std::string more_bits_option(bool of_output, const std::string& value);

// A quantized model's inputs that lie far from the range it was calibrated for.
Warnings range_warnings(const ModelFile& model, const calibration::Samples& samples);

}  // namespace halftone::cli
