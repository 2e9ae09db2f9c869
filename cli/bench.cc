#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "cli/commands.h"
#include "cli/integers.h"
#include "cli/model_file.h"
#include "cli/number_list.h"
#include "cli/shape_option.h"
#include "halftone/analysis/timing.h"
#include "halftone/base/error.h"
#include "halftone/engine/executor.h"
#include "halftone/float_engine/executor.h"
#include "halftone/ir/work.h"
#include "halftone/kernels/ceiling.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

struct Options {
  std::vector<std::string> models;
  ShapeOption shapes;
  std::string batch = "1";
  std::string isa;
  double seconds = 2.0;
  bool json = false;
};

struct Row {
  std::string network;
  std::int64_t batch = 1;
  bool integers = false;
  analysis::Timing timing;
  double ratio = 0.0;  // its median over that of the first network in integers
};

// Floats from -2 to 2: what stands in an input decides no time here.
Tensor noise(DType dtype, Shape shape, std::int64_t batch) {
  for (std::int64_t& dim : shape) dim = dim == kDynamic ? batch : dim;
  std::mt19937 random(1);
  Tensor floats(DType::float32, shape);
  for (float& v : floats.mutable_data<float>()) v = static_cast<float>(static_cast<int>(random() % 4001U)) / 1000.0F - 2.0F;
  return floats.cast(dtype);
}

std::vector<Tensor> inputs_of(const ModelFile& model, std::int64_t batch) {
  std::vector<Tensor> inputs;
  for (ir::ValueId id : model.graph.inputs) inputs.push_back(noise(model.graph.value(id).dtype, model.graph.value(id).shape, batch));
  return inputs;
}

// From floats to floats in memory that stays.
class EngineRun {
 public:
  EngineRun(const ModelFile& model, std::int64_t batch, kernels::Isa isa)
      : program_(*model.integers, {.batch = batch, .isa = isa, .make_executor = float_engine::make_executor}), context_(program_), inputs_(inputs_of(model, batch)) {
    const std::int64_t count = program_.is_separable() ? batch : 1;
    for (const Tensor& input : inputs_) from_.push_back(input.bytes());
    for (const engine::Program::Port& port : program_.outputs()) outputs_.emplace_back(port.bytes() * static_cast<std::size_t>(count));
    for (auto& output : outputs_) to_.push_back(output);
  }
  void operator()() { program_.run(context_, program_.batch(), from_, to_); }

 private:
  engine::Program program_;
  engine::Program::Context context_;
  std::vector<Tensor> inputs_;
  std::vector<std::vector<std::byte>> outputs_;
  std::vector<std::span<const std::byte>> from_;
  std::vector<std::span<std::byte>> to_;
};

// A batch that stands in the file is the only one.
void expect_batch(const ModelFile& model, std::int64_t batch) {
  for (ir::ValueId id : model.graph.inputs)
    if (const Shape& shape = model.graph.value(id).shape; !shape.empty() && shape[0] != kDynamic && shape[0] != batch)
      throw InputError(model.path, fmt::format("takes {} samples at once, expected {} as --batch says", shape[0], batch));
}

analysis::Contender contender_of(const ModelFile& model, std::int64_t batch, kernels::Isa isa) {
  if (model.integers) {
    const qgraph::Work work = qgraph::count_work(*model.integers);
    auto run = std::make_shared<EngineRun>(model, batch, isa);
    return {model.path, (work.integer_macs + work.float_macs) * batch, [run] { (*run)(); }};
  }
  std::int64_t macs = 0;
  for (std::int64_t each : ir::multiply_adds(model.graph)) macs += each;
  const std::shared_ptr<ir::Executor> executor = float_engine::make_executor(model.graph);
  return {model.path, macs * batch, [executor, inputs = inputs_of(model, batch)] { executor->run(inputs); }};
}

std::vector<Row> rows_of(const Options& options, const std::vector<ModelFile>& models, std::int64_t batch) {
  const kernels::Isa isa = options.isa.empty() ? kernels::best_isa() : kernels::isa_from(options.isa);
  std::vector<analysis::Contender> contenders;
  for (const ModelFile& model : models) expect_batch(model, batch);
  for (const ModelFile& model : models) contenders.push_back(contender_of(model, batch, isa));
  const auto ceiling = [] { return kernels::run_dot_products(kernels::best_isa()); };
  const std::vector<analysis::Timing> timings = analysis::take_times(contenders, {.seconds = options.seconds, .ceiling = ceiling});
  std::vector<Row> rows;
  const Row* ours = nullptr;
  rows.reserve(models.size());
  for (std::size_t i = 0; i < models.size(); ++i) {
    rows.push_back({models[i].path, batch, models[i].integers.has_value(), timings[i]});
    if (ours == nullptr && rows.back().integers) ours = &rows.back();
  }
  for (Row& row : rows) row.ratio = ours == nullptr ? 0.0 : row.timing.median / ours->timing.median;
  return rows;
}

nlohmann::json to_json(const Row& row) {
  return {{"network", row.network},
          {"batch", row.batch},
          {"threads", 1},
          {"peer", row.integers ? "halftone" : "float"},
          {"median_ms", row.timing.median * 1e3},
          {"min_ms", row.timing.least * 1e3},
          {"share", row.timing.share},
          {"ratio", row.ratio},
          {"samples", row.timing.samples},
          {"quiet", row.timing.quiet}};
}

void print_rows(const std::vector<Row>& rows) {
  using Align = report::Table::Align;
  report::Table table({{"network"}, {"batch", Align::right}, {"median ms", Align::right}, {"least ms", Align::right}, {"share of ceiling", Align::right},
                       {"times ours", Align::right}, {""}});
  for (const Row& row : rows)
    table.add_row({row.network, std::to_string(row.batch), fmt::format("{:.4f}", row.timing.median * 1e3), fmt::format("{:.4f}", row.timing.least * 1e3),
                   row.timing.share > 0 ? fmt::format("{:.2f}", row.timing.share) : "", row.ratio > 0 ? fmt::format("{:.2f}", row.ratio) : "",
                   row.timing.quiet ? "" : "not quiet"});
  fmt::print("{}", table.text());
  print_line("one thread, float input to float output, networks in turns; the ceiling is the dot product instruction of {}, measured behind every sample",
             kernels::name_of(kernels::best_isa()));
}

int bench(const Options& options) {
  const std::vector<int> batches = parse_numbers("--batch", options.batch, 1, 1024);
  std::vector<ModelFile> models;
  for (const std::string& path : options.models) models.push_back(load_model_file(path, options.shapes.input_shapes()));
  std::vector<Row> rows;
  for (int batch : batches)
    for (Row& row : rows_of(options, models, batch)) rows.push_back(std::move(row));
  if (options.json) {
    nlohmann::json out = nlohmann::json::array();
    for (const Row& row : rows) out.push_back(to_json(row));
    print_json(out);
  } else {
    print_rows(rows);
  }
  return kYes;
}

}  // namespace

void add_bench(Command app, Run& run) {
  auto options = std::make_shared<Options>();
  const Command command = app.add_command("bench", "Time networks against each other, in integers on the engine and in float");
  command.footer("Example: halftone bench mlp.onnx mlp.int8.onnx --batch 1,32");
  command.add_option("models", options->models, "ONNX models, float or quantized").required();
  options->shapes.add_to(command);
  command.add_option("--batch", options->batch, "Samples a run: 1, 1,32 or 1-4").show_default();
  command.add_option("--isa", options->isa, "Instruction set of the engine: generic, avx2 or avx512vnni (otherwise the best that this machine has)");
  command.add_option("--seconds", options->seconds, "For each batch").within(0.01, 3600.0).show_default();
  command.add_flag("--json", options->json, "Print JSON");
  command.when_chosen([options, &run] { run = [options] { return bench(*options); }; });
}

}  // namespace halftone::cli
