#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/data_options.h"
#include "cli/model_file.h"
#include "cli/outcome.h"
#include "cli/rtl_options.h"
#include "halftone/analysis/evaluate.h"
#include "halftone/base/error.h"
#include "halftone/rtl/kept.h"
#include "halftone/rtl/lab6_network.h"

namespace halftone::cli {

int run_lab6(const RtlOptions& options) {
  const ModelFile model = load_model_file(options.model);
  if (model.integers) throw InputError(options.model, "is a model of integers, expected the float network, whose weights Lab 6 makes integers itself");
  const calibration::Samples samples = options.data.take(options.data.open(data::Part::test, model), model, Labels::wanted);
  const rtl::Lab6Network network(model.graph, {.clamp = options.lab6 == "clamp", .value_fraction = options.fraction_length}, rtl::kept_folder(options.kept));
  double accuracy = 0.0;
  with_progress(options.data, samples, "Lab 6", [&](calibration::BatchOptions batches) {
    batches.threads = 1;  // one simulation
    accuracy = analysis::evaluate(network, samples, batches, 0).percent();
  });
  const nlohmann::json out{{"lab6", options.lab6},          {"fraction_length", options.fraction_length},       {"samples", samples.size()},
                           {"outputs", network.checks().outputs}, {"different", network.checks().different}, {"cycles", network.checks().cycles},
                           {"accuracy", accuracy}};
  if (options.json) {
    print_json(out);
  } else {
    print_line("the second layer as Lab 6 has it: sums of 16 bits, {}", options.lab6 == "clamp" ? "clamped to 8 at the end" : "of which the low 8 are kept");
    print_line("{} outputs compared with the same in software, {} different; {} cycles", network.checks().outputs, network.checks().different, network.checks().cycles);
    print_line("{:.2f} % of {} samples right", accuracy, samples.size());
  }
  return network.checks().different == 0 ? kYes : kNo;
}

}  // namespace halftone::cli
