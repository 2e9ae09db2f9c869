#include "cli/export_testbench.h"

#include <fmt/format.h>

#include <iostream>
#include <map>

#include "cli/layer_numbers.h"
#include "cli/testbench_files.h"
#include "cli/testbench_manifest.h"
#include "cli/warnings.h"
#include "halftone/base/error.h"
#include "halftone/calibration/batches.h"
#include "halftone/report/progress.h"
#include "halftone/report/table.h"
#include "halftone/testbench/constants.h"
#include "halftone/testbench/recorder.h"

namespace halftone::cli {
namespace {

// Conversions to and from floats, and what is float between, have no arrays but the integers that come in.
bool is_float(const qgraph::Op& op) { return std::holds_alternative<qgraph::Island>(op) || std::holds_alternative<qgraph::Dequantize>(op); }

// 0 of a shape that only a run shows.
std::int64_t elements(const Shape& shape) { return is_static(shape) ? element_count(shape) : 0; }

// Writes one network's testbench.
class Writer {
 public:
  Writer(const ModelFile& model, const TestbenchFolder& folder) : model_(model), graph_(*model.integers), recorder_(graph_), files_(folder) {
    std::vector<std::string> layers;
    for (const qgraph::Node& node : graph_.nodes) layers.push_back(node.name);
    names_ = testbench_names(layers);
    for (std::size_t n = 0; n < names_.size(); ++n)
      for (qgraph::ValueId id : graph_.nodes[n].outputs) producer_[id] = n;
  }

  // Throws UsageError for more samples than there is room for.
  void expect_room(std::int64_t samples, std::int64_t batch) const {
    const std::vector<Shape> shapes = qgraph::shapes_of_batch(graph_, batch);
    std::int64_t constants = 0;
    double each = 0.0;  // of a sample
    for (const qgraph::Node& node : graph_.nodes) {
      if (is_float(node.op)) continue;
      constants += bytes_of_constants(node);
      each += static_cast<double>(bytes_of_values(node, shapes)) / static_cast<double>(batch);
    }
    const auto room = static_cast<double>(kMostTestbenchBytes - constants);
    if (each * static_cast<double>(samples) <= room) return;
    const auto bytes = [&](std::int64_t count) {
      return report::format_bytes(static_cast<std::int64_t>(each * static_cast<double>(count)) + constants);
    };
    const std::string most = report::format_bytes(kMostTestbenchBytes);
    if (each > room) throw UnsupportedError(model_.path, fmt::format("its testbench takes {} for one sample, expected at most {}", bytes(1), most));
    throw UsageError("--samples", fmt::format("{} take {}, expected {} at most, as {} do", samples, bytes(samples), most,
                                              static_cast<std::int64_t>(room / each)));
  }

  void run(const calibration::Samples& samples, const calibration::BatchOptions& batches, report::Progress& progress) {
    for (std::int64_t first = 0; first < samples.size(); first += batches.batch_size) {
      const std::int64_t last = std::min(samples.size(), first + batches.batch_size);
      calibration::with_batch(samples, first, last, batches, [&](const calibration::Batch& batch) { recorder_.run(batch.inputs, batch.rows, batch.count); });
      progress.update(0.5 * static_cast<double>(last) / static_cast<double>(samples.size()), "running");
    }
  }

  OrderedJson write(report::Progress& progress) {
    OrderedJson layers = OrderedJson::array();
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      layers.push_back(layer(n));
      progress.update(0.5 + 0.5 * static_cast<double>(n + 1) / static_cast<double>(graph_.nodes.size()), "writing");
    }
    return layers;
  }

  std::size_t publish(OrderedJson manifest, std::int64_t samples) { return files_.publish(std::move(manifest), samples); }

 private:
  std::int64_t bytes_of_constants(const qgraph::Node& node) const {
    const qgraph::Linear* linear = qgraph::linear_of(node.op);
    return linear == nullptr ? 0 : 2 * testbench::bytes_of_files(linear->q_w.size(), linear->w_params.format.bits);
  }

  std::int64_t bytes_of_values(const qgraph::Node& node, const std::vector<Shape>& shapes) const {
    std::int64_t bytes = 0;
    const auto add = [&](qgraph::ValueId id) {
      const auto& grid = graph_.value(id).grid;
      if (grid) bytes += testbench::bytes_of_files(elements(shapes.at(static_cast<std::size_t>(id))), grid->format.bits);
    };
    for (qgraph::ValueId id : node.inputs) add(id);
    add(node.output());
    if (const std::optional<int> bits = testbench::sum_bits(graph_, node))
      bytes += testbench::bytes_of_files(elements(shapes.at(static_cast<std::size_t>(node.output()))), *bits);
    return bytes;
  }

  OrderedJson layer(std::size_t n) {
    const qgraph::Node& node = graph_.nodes[n];
    OrderedJson out = layer_json(model_.graph, graph_, node, names_[n]);
    out["inputs"] = OrderedJson::array();
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      out["inputs"].push_back(value(n, node.inputs[i], is_float(node.op) ? "" : node.inputs.size() == 1 ? "input" : fmt::format("input_{}", i)));
    if (is_float(node.op)) return out;
    for (const testbench::NamedArray& constant : testbench::constants_of(graph_, node))
      out[constant.kind] = constant.kind == "weight_packed" ? files_.add_bytes(names_[n], constant.kind, constant.array)
                                                            : files_.add(names_[n], constant.kind, constant.array);
    if (const qgraph::Linear* linear = qgraph::linear_of(node.op)) out["weight"].update(weight_scales_json(*linear));
    if (const nlohmann::json multipliers = multipliers_json(graph_, node); !multipliers.is_null()) out["factors"] = multipliers;
    if (const auto sums = recorder_.sums(node)) {
      out["accumulator"] = files_.add(names_[n], "accumulator", *sums);
      out["accumulator"]["bound"] = *qgraph::bound_of_sums(graph_, node);
    }
    if (const auto index = recorder_.count_index(node); index && out["counts"].size() > 1) out["count_index"] = files_.add(names_[n], "count_index", *index);
    out["output"] = value(n, node.output(), "output");
    if (const qgraph::Requantizer* requantizer = qgraph::requantizer_of(node.op)) {
      files_.add(names_[n], "output_lo", requantizer->bounds.lo);
      files_.add(names_[n], "output_hi", requantizer->bounds.hi);
    }
    return out;
  }

  // An input or output: what it is called, who computes it, and its integers as an array of this kind; "": without.
  OrderedJson value(std::size_t n, qgraph::ValueId id, const std::string& kind) {
    const qgraph::Value& known = graph_.value(id);
    OrderedJson out{{"value", known.name}};
    const auto found = producer_.find(id);
    out["layer"] = found == producer_.end() ? OrderedJson() : OrderedJson(graph_.nodes[found->second].name);
    if (!known.grid) return out;
    out.update(grid_json(*known.grid));
    if (kind.empty()) return out;
    const bool computed_here = kind == "output" || found == producer_.end();
    out.update(files_.add(names_[n], kind, recorder_.value(id), computed_here ? "" : names_[found->second].identifier + "_output"));
    files_.add(names_[n], kind + "_zero_point", known.grid->affine.zero_point);
    return out;
  }

  const ModelFile& model_;
  const qgraph::QuantizedGraph& graph_;
  testbench::Recorder recorder_;
  TestbenchFiles files_;
  std::vector<TestbenchNames> names_;
  std::map<qgraph::ValueId, std::size_t> producer_;  // the node that computes a value
};

std::string bits_text(const OrderedJson& layer, const char* kind) {
  return layer.contains(kind) ? fmt::format("{}", layer[kind]["bits"].get<int>()) : "";
}

void print_summary(const OrderedJson& manifest, const std::string& folder, std::size_t files) {
  using Align = report::Table::Align;
  report::Table table({{"layer"},
                       {"op"},
                       {"files"},
                       {"weight bits", Align::right},
                       {"bias bits", Align::right},
                       {"accumulator bits", Align::right},
                       {"output bits", Align::right}});
  for (const OrderedJson& layer : manifest["layers"])
    if (layer.contains("output"))
      table.add_row({layer["name"], layer["op"], layer["files"].get<std::string>() + ".*", bits_text(layer, "weight"), bits_text(layer, "bias"),
                     bits_text(layer, "accumulator"), bits_text(layer, "output")});
  fmt::print("{}", table.text());
  const auto samples = manifest["samples"].get<std::int64_t>();
  print_line("{} sample{}, {} files -> {}", samples, samples == 1 ? "" : "s", files, folder);
}

OrderedJson manifest_of(const ModelFile& model, const calibration::Samples& samples) {
  const numeric::ArithmeticSpec& arithmetic = model.integers->arithmetic;
  return {{"format", kTestbenchFormat},
          {"model", model.path},
          {"arithmetic", numeric::name_of(arithmetic.mode)},
          {"data", samples.name},
          {"samples", samples.size()},
          {"labels", samples.labels},
          {"preparation", preparation_json(samples)}};
}

}  // namespace

int export_testbench(const std::string& folder_path, const std::string& model_path, const onnx_io::InputShapes& shapes, const DataOptions& data, bool json) {
  const TestbenchFolder folder(folder_path);
  check_written({folder.file(kManifest).string()});
  const ModelFile model = load_model_file(model_path, shapes);
  if (!model.integers)
    throw InputError(model_path, "is a float model, expected integers: halftone quantize makes them");
  const calibration::Samples samples = data.take(data.open(data::Part::test, model), model, Labels::welcome);
  const calibration::BatchOptions batches = batches_of(samples, data.thread_count());
  Writer writer(model, folder);
  writer.expect_room(samples.size(), batches.batch_size);
  report::Progress progress(std::cerr, report::stderr_options());
  writer.run(samples, batches, progress);
  OrderedJson manifest = manifest_of(model, samples);
  manifest["layers"] = writer.write(progress);
  progress.erase();
  const std::size_t files = writer.publish(manifest, samples.size());
  if (json)
    print_json({{"model", model_path},
                {"testbench", folder_path},
                {"samples", samples.size()},
                {"files", files},
                {"manifest", folder.file(kManifest).string()}});
  else
    print_summary(manifest, folder_path, files);
  return kYes;
}

}  // namespace halftone::cli
