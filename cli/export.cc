#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/export_testbench.h"
#include "cli/model_file.h"
#include "halftone/numeric/packed_weights.h"
#include "cli/shape_option.h"
#include "halftone/base/error.h"
#include "halftone/data/file_names.h"
#include "halftone/data/npz.h"
#include "halftone/passes/pass.h"
#include "halftone/lower/layer_arrays.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

using Json = nlohmann::json;

struct Options {
  std::string model;
  ShapeOption shapes;
  std::string npz;
  std::string testbench;
  DataOptions data;  // for the testbench
  bool packed = false;
  bool json = false;
};

void add_activation(data::NamedTensors& arrays, const std::string& prefix,
                    const std::optional<numeric::Grid>& grid) {
  if (!grid) return;
  const numeric::Affine& affine = grid->affine;
  arrays.emplace_back(prefix + "_scale", Tensor::from<float>({}, {&affine.scale, 1}));
  arrays.emplace_back(prefix + "_zero_point", numeric::from_int32({}, {&affine.zero_point, 1},
                                                                  numeric::storage_dtype(grid->format)));
}

void add_weight(data::NamedTensors& arrays, const std::string& member, const lower::LayerArrays& layer, bool packed) {
  const std::string prefix = member + ".weight";
  if (packed && layer.weight_scale) {
    numeric::PackedWeights rows = numeric::pack_rows(layer.weight);
    arrays.emplace_back(prefix, std::move(rows.bytes));
    arrays.emplace_back(prefix + "_shape", std::move(rows.shape));
    arrays.emplace_back(prefix + "_bits", std::move(rows.bits));
  } else {
    arrays.emplace_back(prefix, layer.weight);
  }
  if (!layer.weight_scale) return;
  arrays.emplace_back(prefix + "_scale", *layer.weight_scale);
  arrays.emplace_back(prefix + "_zero_point", *layer.weight_zero_point);
  if (layer.weight_scale->size() > 1)
    arrays.emplace_back(prefix + "_axis", Tensor::from<std::int64_t>({}, {&layer.weight_axis, 1}));
  if (layer.weight_block > 0) arrays.emplace_back(prefix + "_block", Tensor::from<std::int64_t>({}, {&layer.weight_block, 1}));
}

// The beginnings of the arrays' names.
std::vector<std::string> members_of(const std::vector<lower::LayerArrays>& layers) {
  std::vector<std::string> names;
  for (const lower::LayerArrays& layer : layers) names.push_back(layer.name);
  return data::member_names(names);
}

data::NamedTensors arrays_of(const std::vector<lower::LayerArrays>& layers, bool packed) {
  data::NamedTensors arrays;
  const std::vector<std::string> members = members_of(layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const lower::LayerArrays& layer = layers[i];
    add_weight(arrays, members[i], layer, packed);
    if (layer.bias) arrays.emplace_back(members[i] + ".bias", *layer.bias);
    if (layer.bias_scale) arrays.emplace_back(members[i] + ".bias_scale", *layer.bias_scale);
    add_activation(arrays, members[i] + ".input", layer.input);
    add_activation(arrays, members[i] + ".output", layer.output);
  }
  return arrays;
}

// The array as NumPy holds it: integers of fewer than 8 bits take a byte each.
std::string_view stored_as(const Tensor& tensor) { return name_of(memory_dtype(tensor.dtype())); }

Json summary(const Options& options, const std::vector<lower::LayerArrays>& layers) {
  Json list = Json::array();
  const std::vector<std::string> members = members_of(layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const lower::LayerArrays& layer = layers[i];
    const bool packed = options.packed && layer.weight_scale.has_value();
    Json item{{"name", layer.name},
              {"arrays", members[i]},
              {"op", layer.op},
              {"shape", layer.weight.shape()},
              {"weights", name_of(layer.weight.dtype())},
              {"dtype", packed ? "uint8" : stored_as(layer.weight)},
              {"scales", layer.weight_scale ? layer.weight_scale->size() : 0},
              {"bias", layer.bias ? Json(stored_as(*layer.bias)) : Json()},
              {"activations", layer.input.has_value()}};
    if (packed) item["bits"] = numeric::packed_bits(layer.weight);
    list.push_back(item);
  }
  return {{"model", options.model}, {"npz", options.npz}, {"packed", options.packed}, {"layers", list}};
}

void print_summary(const Json& out, std::size_t arrays) {
  using Align = report::Table::Align;
  report::Table table(
      {{"layer"}, {"op"}, {"weights"}, {"stored as"}, {"shape"}, {"scales", Align::right}, {"bias"}});
  for (const Json& layer : out["layers"]) {
    const std::string bits =
        layer.contains("bits") ? fmt::format(", {} bits packed", layer["bits"].get<int>()) : "";
    table.add_row({layer["name"], layer["op"], layer["weights"], layer["dtype"].get<std::string>() + bits,
                   to_string(layer["shape"].get<Shape>()), layer["scales"] == 0 ? "" : layer["scales"].dump(),
                   layer["bias"].is_null() ? "" : layer["bias"].get<std::string>()});
  }
  fmt::print("{}", table.text());
  print_line("{} arrays -> {}", arrays, out["npz"].get<std::string>());
}

int export_arrays(const Options& options) {
  if (std::filesystem::path(options.npz).extension() != ".npz")
    throw UsageError("--npz", fmt::format("got '{}', expected a name in .npz", options.npz));
  check_written({options.npz});
  const ModelFile model = load_model_file(options.model, options.shapes.input_shapes());
  if (options.packed && !model.integers)
    throw UsageError("--packed", fmt::format("'{}' is a float model, expected integers", options.model));
  const std::vector<lower::LayerArrays> layers =
      model.integers ? lower::layer_arrays(model.graph, &*model.integers)
                     : lower::layer_arrays(passes::simplify(model.graph), nullptr);
  const data::NamedTensors arrays = arrays_of(layers, options.packed);
  data::write_npz(options.npz, arrays);
  const Json out = summary(options, layers);
  if (options.json)
    print_json(out);
  else
    print_summary(out, arrays.size());
  return kYes;
}

int run_export(const Options& options) {
  if (options.npz.empty() == options.testbench.empty())
    throw UsageError("export", fmt::format("got {}, expected one of them",
                                           options.npz.empty() ? "neither --npz nor --testbench" : "both --npz and --testbench"));
  if (options.testbench.empty() && options.data.given()) throw UsageError("--data", "or --images goes with --testbench, whose layers it runs");
  if (options.testbench.empty()) return export_arrays(options);
  if (!options.data.given()) throw UsageError("--testbench", "without --data or --images, expected samples to run the layers on");
  return export_testbench(options.testbench, options.model, options.shapes.input_shapes(), options.data, options.json);
}

}  // namespace

void add_export(Command app, Run& run) {
  auto options = std::make_shared<Options>();
  const Command command =
      app.add_command("export", "The layers' integers, scales and zero points as NumPy arrays, or all that hardware is compared with");
  command.footer(
      "Examples: halftone export mlp.int8.onnx --npz w.npz\n"
      "          halftone export mlp.int8.onnx --testbench tb --data mnist --samples 3\n"
      "Each layer (Conv, ConvTranspose, Gemm, MatMul with constant weights) gives LAYER.weight, "
      "LAYER.weight_scale, LAYER.weight_zero_point and LAYER.weight_axis (what the scales run along, when "
      "there are several), LAYER.weight_block (so many of its indices share a scale, of weights by group), "
      "LAYER.bias and LAYER.bias_scale, LAYER.input_scale, LAYER.input_zero_point, LAYER.output_scale and "
      "LAYER.output_zero_point, as far as it has them; of a float model weights and biases, with batch "
      "normalizations folded in as quantize does. A LAYER that would lead out of the folder the file is unpacked in is "
      "written otherwise, as the summary of --json says (\"arrays\"). w = weight_scale * (weight - weight_zero_point).\n"
      "A testbench is a folder with weights, biases, multipliers, shifts and tables of every layer in integers and, for the samples, its "
      "input, accumulator and output, each as LAYER.NAME.npy and LAYER.NAME.mem (a hexadecimal word a line, for $readmemh), smaller ones "
      "in testbench.h for C; manifest.json has shapes, bits, scales, zero points, rounding, bounds and names.");
  command.add_option("model", options->model, "ONNX model, quantized or float").required();
  options->shapes.add_to(command);
  command.add_option("--npz", options->npz, "NumPy file to write");
  const Option testbench = command.add_option("--testbench", options->testbench, "Folder to write: a new or empty one, or an earlier testbench")
                               .value_name("DIR");
  options->data.usual_samples = 1;
  options->data.may_be_missing = true;
  options->data.add_to(command, data::Part::test, "Samples to run, spread over the set (otherwise 1)");
  for (const char* option : {"--labels", "--label-offset", "--resize", "--samples", "--preset", "--mean", "--std", "--scale",
                             "--override-preprocessing", "--threads"})
    command.option(option).needs(testbench);
  command.add_flag(
      "--packed", options->packed,
      "Weights as uint8 rows, one for each index of their first dimension, low bits first; with "
      "LAYER.weight_shape and LAYER.weight_bits (1: binary, a set bit is +1; otherwise signed where "
      "LAYER.weight_zero_point is)")
      .excludes(testbench);
  command.add_flag("--json", options->json, "Print the summary as JSON");
  command.when_chosen([options, &run] { run = [options] { return run_export(*options); }; });
}

}  // namespace halftone::cli
