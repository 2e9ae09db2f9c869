#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/check.h"
#include "cli/data_options.h"
#include "cli/model_file.h"
#include "cli/outcome.h"
#include "cli/rtl_options.h"
#include "halftone/analysis/evaluate.h"
#include "halftone/base/error.h"
#include "halftone/rtl/layer_on_array.h"

namespace halftone::cli {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kRows = 64;  // of a product

void print_summary(const Json& out) {
  print_line("layer '{}' on a {} array, the rest in software", out["layer"].get<std::string>(), out["array"].get<std::string>());
  print_line("{} outputs compared with the interpreter, {} different", out["outputs"].get<std::uint64_t>(), out["different"].get<std::uint64_t>());
  print_line("{} products of up to {} rows in {} cycles", out["products"].get<std::int64_t>(), kRows, out["cycles"].get<std::int64_t>());
  if (!out["accuracy"].is_null()) print_line("{:.2f} % of {} samples right", out["accuracy"].get<double>(), out["samples"].get<std::int64_t>());
}

}  // namespace

int simulate_layer(const RtlOptions& options) {
  const ModelFile model = load_model_file(options.model);
  if (!model.integers) throw InputError(options.model, "is a float model, expected integers: halftone quantize makes them");
  const calibration::Samples samples = options.data.take(options.data.open(data::Part::test, model), model, Labels::welcome);
  RtlOptions sized = options;
  sized.shape = "64x8x8";  // the layer says the depth and the columns
  rtl::LayerOnArray network(*model.integers, options.layer, geometry_of(sized), kRows, rtl::kept_folder(options.kept));
  std::optional<double> accuracy;
  with_progress(options.data, samples, fmt::format("layer {}", options.layer), [&](calibration::BatchOptions batches) {
    batches.threads = 1;  // one simulation
    if (samples.labels.empty())
      calibration::for_batches(samples, batches, [&](const calibration::Batch& batch) { network.run(batch.inputs); });
    else
      accuracy = analysis::evaluate(network, samples, batches, 0).percent();
  });
  const rtl::LayerOnArray::Counts& counts = network.counts();
  const Json out{{"layer", options.layer},
                 {"array", rtl::name_of(network.geometry())},
                 {"accumulator", network.geometry().acc_width},
                 {"mantissa", network.geometry().mantissa},
                 {"samples", samples.size()},
                 {"outputs", counts.outputs},
                 {"different", counts.different},
                 {"products", counts.products},
                 {"cycles", counts.cycles},
                 {"accuracy", accuracy ? Json(*accuracy) : Json()}};
  if (options.json)
    print_json(out);
  else
    print_summary(out);
  return counts.different == 0 ? kYes : kNo;
}

}  // namespace halftone::cli
