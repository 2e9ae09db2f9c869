#include <fmt/format.h>

#include <memory>
#include <regex>

#include "cli/calibration.h"
#include "cli/commands.h"
#include "halftone/ptq/float_network.h"
#include "cli/model_file.h"
#include "cli/shape_option.h"
#include "cli/warnings.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/quant/calibration_file.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

struct Options {
  std::string model;
  ShapeOption shapes;
  std::string output;
  DataOptions data;
  std::string shard;
  bool equalize = false;
  double svd = 0.0;
};

Shard parse_shard(const std::string& text) {
  if (text.empty()) return {};
  static const std::regex kForm("([0-9]{1,6})/([0-9]{1,6})");
  std::smatch parts;
  if (std::regex_match(text, parts, kForm)) {
    const Shard shard{std::stol(parts[1]), std::stol(parts[2])};
    if (shard.index >= 1 && shard.index <= shard.count) return shard;
  }
  throw UsageError("--shard", fmt::format("got '{}', expected as 2/4, from 1/4 to 4/4", text));
}

int calibrate(const Options& options) {
  const Shard shard = parse_shard(options.shard);
  const quant::Recipe recipe{.equalize = options.equalize, .svd = options.svd};
  quant::check(recipe);
  check_written({options.output});
  const ModelFile model = load_model_file(options.model, options.shapes.input_shapes());
  if (model.integers) throw InputError(options.model, "is quantized already, expected a float model");
  const ir::Graph graph = ptq::float_network(model.graph, recipe);
  const calibration::Samples samples =
      options.data.take(options.data.open(data::Part::train, model), model, Labels::welcome);
  Looks looks;
  quant::CalibrationFile file = calibrate_part(graph, samples, options.data, shard, &looks);
  file.equalized = options.equalize;
  file.svd = options.svd;
  if (file.seen.empty())
    throw UnsupportedError(options.model, "nothing to quantize; halftone inspect --check says why");
  write_file(options.output, quant::to_json(file));
  print_line("{} -> {}: {} values{}", options.model, options.output, file.seen.size(),
             shard.count > 1 ? fmt::format(", part {} of {}", shard.index, shard.count) : "");
  print_line("{}", preparation_text(samples));
  Warnings warnings = preparation_warnings(model, samples, options.data, 0, looks.right());
  append(warnings, noise_warnings(options.data));
  if (shard.count == 1) append(warnings, calibration_warnings(graph, samples, file.seen, options.data));
  print(warnings);
  return kYes;
}

}  // namespace

void add_calibrate(Command app, Run& run) {
  auto options = std::make_shared<Options>();
  options->data.usual_samples = kCalibrationSamples;
  const Command command =
      app.add_command("calibrate", "Run a float model over samples and keep how its values are distributed");
  command.footer(
      "Example: halftone calibrate mlp.onnx --data mnist -o ranges.json\n"
      "         halftone quantize mlp.onnx --ranges ranges.json -o mlp.int8.onnx\n"
      "In the file, \"range\": [lo, hi] added to a value is taken as it stands, with 0 in it.");
  command.add_option("model", options->model, "Float ONNX model").required();
  command.add_option("-o,--output", options->output, "JSON file to write").required();
  options->shapes.add_to(command);
  options->data.samples_name = "--calibration-samples";
  options->data.add_to(command, data::Part::train,
                       "Samples to calibrate on, spread over the set (otherwise 1024)");
  command.add_option("--shard", options->shard,
                      "2/4: the second of four parts of these samples, to be joined by quantize --ranges");
  command.add_flag("--equalize", options->equalize, "For quantize --equalize");
  command.add_option("--svd", options->svd, "For quantize --svd");
  command.when_chosen([options, &run] { run = [options] { return calibrate(*options); }; });
}

}  // namespace halftone::cli
