// The whole road from a float network to integers, in one call.
#pragma once

#include <optional>

#include "halftone/lower/lower.h"
#include "halftone/ptq/float_network.h"
#include "halftone/quant/calibration_file.h"
#include "halftone/quant/islands.h"
#include "halftone/quant/parameters.h"
#include "halftone/quant/quantize.h"

namespace halftone::ptq {

// A network in integers, in both its forms.
struct Integers {
  quant::Quantized quantized;          // with Quantize/Dequantize pairs, as files have it; and notes
  qgraph::QuantizedGraph integers;
  std::vector<quant::Island> islands;  // what stayed float between them
};

// Throws UnsupportedError naming `model` for a network without anything to quantize.
Integers integers_of(const ir::Graph& network, const quant::Parameters& parameters, const quant::Recipe& recipe,
                     const std::string& model);

// Parameters as the recipe's methods have them for a network that float_network and move_by_samples made of `model`. Without
// `runs` biases are corrected by what batch normalizations say, and nothing else is measured.
quant::Parameters choose_parameters(const ir::Graph& model, const ir::Graph& network, const quant::RangeTable& ranges,
                                    const quant::Recipe& recipe, const RunsFor& runs);

// Whether a recipe reads samples: to calibrate, unless ranges are there, or by its methods.
bool needs_samples(const quant::Recipe& recipe, bool has_ranges);

// The task of quantize.
struct Task {
  const ir::Graph& model;  // float, as loaded
  quant::Recipe recipe;
  RunsFor runs;            // may be empty where the recipe reads no samples
  const quant::CalibrationFile* ranges = nullptr;  // what calibrations saw: instead of calibrating here
  std::string name = "model";  // in messages
  std::optional<ir::Graph> network = std::nullopt;  // float_network(model, recipe), where it is made already
};

struct Result {
  ir::Graph network;                  // float, as the recipe's methods leave it
  calibration::StatisticsTable seen;  // on the samples, or as the ranges have it
  quant::Parameters parameters;
  Integers made;                      // made.quantized.graph is what a file holds
};

// Runs the methods that move the float network, calibrates, chooses weights and lowers. The same task gives the same bytes for
// any number of threads. Throws UsageError for a recipe that needs samples where there are none, InputError for values that
// are not finite, and UnsupportedError for a network without anything to quantize.
Result quantize(const Task& task);

}  // namespace halftone::ptq
