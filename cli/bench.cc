#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/bench_gemm.h"
#include "cli/bench_peers.h"
#include "cli/bench_row.h"
#include "cli/commands.h"
#include "cli/dot_product_rate.h"
#include "cli/isa_list.h"
#include "cli/number_list.h"
#include "cli/shape_option.h"
#include "halftone/base/error.h"
#include "halftone/float_engine/executor.h"
#include "halftone/ir/work.h"
#include "halftone/report/progress.h"

namespace halftone::cli {
namespace {

struct Options {
  std::vector<std::string> models;
  ShapeOption shapes;
  std::string batch = "1";
  std::string threads = "1";
  std::string isa;
  std::string peers;
  std::string onnxruntime;
  std::string gemm;
  std::string bits = "8";
  double seconds = 2.0;
  bool layers = false;
  bool json = false;
};

// One group is timed together: everything that runs so many samples on so many threads.
struct Group {
  std::int64_t batch = 1;
  int threads = 1;
  bool with_float = true;
};

std::vector<kernels::Isa> isas_of(const Options& options) {
  return options.isa.empty() ? std::vector{kernels::best_isa()} : parse_isas("--isa", options.isa);
}

// The float engine has one thread: its rows stand in the first group of a batch alone.
std::vector<Group> groups_of(const Options& options) {
  const std::vector<int> threads = parse_numbers("--threads", options.threads, 1, 256);
  std::vector<Group> groups;
  for (int batch : parse_numbers("--batch", options.batch, 1, 1024))
    for (int each : threads) groups.push_back({batch, each, each == threads.front()});
  return groups;
}

// A batch that stands in the file is the only one.
void expect_batch(const ModelFile& model, std::int64_t batch) {
  for (ir::ValueId id : model.graph.inputs)
    if (const Shape& shape = model.graph.value(id).shape; !shape.empty() && shape[0] != kDynamic && shape[0] != batch)
      throw InputError(model.path, fmt::format("takes {} samples at once, expected {} as --batch says", shape[0], batch));
}

std::int64_t macs_of(const ModelFile& model) {
  if (model.integers) {
    const qgraph::Work work = qgraph::count_work(*model.integers);
    return work.integer_macs + work.float_macs;
  }
  std::int64_t macs = 0;
  for (std::int64_t each : ir::multiply_adds(model.graph)) macs += each;
  return macs;
}

class Bench {
 public:
  explicit Bench(const Options& options)
      : options_(options),
        isas_(isas_of(options)),
        groups_(groups_of(options)),
        peers_(options.peers, options.onnxruntime),
        progress_(std::cerr, report::stderr_options()) {
    for (const std::string& path : options.models) models_.push_back(load_model_file(path, options.shapes.input_shapes()));
    for (const ModelFile& model : models_)
      for (const Group& group : groups_) expect_batch(model, group.batch);
  }

  std::vector<BenchRow> rows() {
    measure_loads();
    std::vector<BenchRow> all;
    for (const Group& group : groups_) {
      for (BenchRow& row : rows_of(group)) all.push_back(std::move(row));
      ++groups_done_;
    }
    progress_.erase();
    return all;
  }

  std::vector<GemmRow> gemm_rows() {
    std::vector<int> bits = parse_numbers("--bits", options_.bits, 2, 8);
    std::ranges::reverse(bits);
    const GemmOptions gemm{.sizes = parse_gemms("--gemm", options_.gemm),
                           .bits = bits,
                           .isas = isas_,
                           .seconds = options_.seconds,
                           .progress = [this](double part) { progress_.update(part, "timing matrices"); }};
    std::vector<GemmRow> rows = time_gemms(gemm, skipped_);
    progress_.erase();
    return rows;
  }

  std::vector<std::string> skipped() const {
    std::vector<std::string> all = skipped_;
    all.insert(all.end(), peers_.skipped().begin(), peers_.skipped().end());
    return all;
  }

 private:
  using LoadKey = std::tuple<std::string, std::int64_t, int, kernels::Isa>;

  // Before there are threads.
  void measure_loads() {
    for (const ModelFile& model : models_)
      for (const Group& group : groups_)
        for (kernels::Isa isa : isas_) {
          if (!model.integers) continue;
          progress_.update(0.0, fmt::format("loading {}", model.path));
          loads_[{model.path, group.batch, group.threads, isa}] =
              load_cost(model.path, options_.shapes.input_shapes(), {.batch = group.batch, .isa = isa, .threads = group.threads});
        }
  }

  void tell(double part_of_group, const Group& group) {
    progress_.update((static_cast<double>(groups_done_) + part_of_group) / static_cast<double>(groups_.size()),
                     fmt::format("batch {}, {} thread{}", group.batch, group.threads, group.threads == 1 ? "" : "s"));
  }

  std::vector<BenchRow> rows_of(const Group& group) {
    std::vector<BenchRow> rows;
    std::vector<analysis::Contender> contenders;
    for (const ModelFile& model : models_) add_contenders(model, group, rows, contenders);
    // Threads that wait for more work by spinning would take a core from the next contender.
    constexpr double kUntilAsleep = 0.01;
    const std::vector<analysis::Timing> timings = analysis::take_times(contenders, {.seconds = options_.seconds,
                                                                                    .ceiling = [&] { return dot_product_rate(group.threads); },
                                                                                    .pause = group.threads > 1 ? kUntilAsleep : 0.0,
                                                                                    .progress = [&](double part) { tell(part, group); }});
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].timing = timings[i];
    set_ratios(rows);
    return rows;
  }

  void add_contenders(const ModelFile& model, const Group& group, std::vector<BenchRow>& rows, std::vector<analysis::Contender>& contenders) {
    tell(0.0, group);
    const std::int64_t macs = macs_of(model) * group.batch;
    const auto add = [&](BenchRow row, std::function<void()> run) {
      rows.push_back(std::move(row));
      contenders.push_back({model.path, macs, std::move(run)});
    };
    const BenchRow row{.network = model.path, .batch = group.batch, .threads = group.threads, .timing = {}};
    if (!model.integers) {
      if (group.with_float) add(with_peer(row, "float"), float_run(model, group.batch));
      return;
    }
    for (kernels::Isa isa : isas_) {
      const EngineSettings settings{.batch = group.batch, .isa = isa, .threads = group.threads};
      BenchRow ours = with_peer(row, kOurs);
      ours.isa = kernels::name_of(isa);
      ours.load = loads_[{model.path, group.batch, group.threads, isa}];
      if (options_.layers) ours.layers = layer_times(model, settings, options_.seconds, [&](double) { tell(0.0, group); });
      add(std::move(ours), [run = std::make_shared<EngineRun>(model, settings)] { (*run)(); });
    }
    for (const std::string& peer : peers_.names())
      if (auto run = peers_.run_of(peer, model, group.batch, group.threads)) add(with_peer(row, peer), std::move(run));
  }

  static BenchRow with_peer(BenchRow row, const std::string& peer) {
    row.peer = peer;
    if (peer == "float") row.threads = 1;
    return row;
  }

  static std::function<void()> float_run(const ModelFile& model, std::int64_t batch) {
    const std::shared_ptr<ir::Executor> executor = float_engine::make_executor(model.graph);
    return [executor, inputs = noise_for(model, batch)] { executor->run(inputs); };
  }

  // A float network is another one than ours: its ratio is over the first of ours.
  static void set_ratios(std::vector<BenchRow>& rows) {
    for (BenchRow& row : rows) {
      const auto ours = std::ranges::find_if(
          rows, [&](const BenchRow& other) { return other.peer == kOurs && (row.peer == "float" || other.network == row.network); });
      if (ours != rows.end()) row.ratio = row.timing.median / ours->timing.median;
    }
  }

  const Options& options_;
  std::vector<kernels::Isa> isas_;
  std::vector<Group> groups_;
  BenchPeers peers_;
  std::vector<ModelFile> models_;
  std::map<LoadKey, std::optional<LoadCost>> loads_;
  std::vector<std::string> skipped_;
  report::Progress progress_;
  std::size_t groups_done_ = 0;
};

void print(const std::vector<GemmRow>& gemms, const std::vector<BenchRow>& rows) {
  if (!gemms.empty()) fmt::print("{}", text_of(gemms));
  if (!rows.empty()) fmt::print("{}", text_of(rows));
  for (const BenchRow& row : rows)
    if (!row.layers.empty()) {
      print_line("{}, batch {}, {}, {} thread{}:", row.network, row.batch, row.isa, row.threads, row.threads == 1 ? "" : "s");
      fmt::print("{}", layers_text(row));
    }
  if (!rows.empty()) print_line("float input to float output, networks in turns; load: from the file to the first result");
  if (dot_product_rate(1) > 0)
    print_line("the ceiling is the dot product instruction of {} on each thread's core, measured behind every sample",
               kernels::name_of(kernels::best_isa()));
}

int bench(const Options& options) {
  if (options.models.empty() && options.gemm.empty()) throw UsageError("bench", "nothing to time, expected models or --gemm");
  Bench bench(options);
  std::vector<GemmRow> gemms;
  if (!options.gemm.empty()) gemms = bench.gemm_rows();
  std::vector<BenchRow> rows;
  if (!options.models.empty()) rows = bench.rows();
  if (options.json) {
    nlohmann::json out = nlohmann::json::array();
    for (const GemmRow& row : gemms) out.push_back(to_json(row));
    for (const BenchRow& row : rows) out.push_back(to_json(row));
    print_json(out);
  } else {
    print(gemms, rows);
  }
  for (const std::string& line : bench.skipped()) fmt::print(stderr, "{}\n", shown(line, kMostMessage));
  return kYes;
}

}  // namespace

void add_bench(Command app, Run& run) {
  auto options = std::make_shared<Options>();
  const Command command = app.add_command("bench", "Time networks against each other and against other engines, in integers and in float");
  command.footer(
      "Examples: halftone bench mlp.onnx mlp.int8.onnx --batch 1,32 --peers onednn\n"
      "          halftone bench --gemm 512x512x512,1x4096x4096 --bits 8,4");
  command.add_option("models", options->models, "ONNX models, float or quantized");
  options->shapes.add_to(command);
  command.add_option("--batch", options->batch, "Samples a run: 1, 1,32 or 1-4").show_default();
  command.add_option("--threads", options->threads, "Threads of the engine and its peers: 1, 1,2 or 1-4 (the float network has one)")
      .show_default();
  command.add_option("--isa", options->isa,
                     fmt::format("Instruction sets of the engine, between commas: of {} (otherwise the best one)", supported_isa_names()));
  command.add_option("--peers", options->peers, "Other engines that run each quantized model, between commas: onednn, onnxruntime");
  command.add_option("--onnxruntime", options->onnxruntime, "ONNX Runtime's library, as libonnxruntime.so.1").value_name("FILE");
  command.add_flag("--layers", options->layers, "The engine's time by layer");
  const Option gemm =
      command.add_option("--gemm", options->gemm, "Products of matrices to time, MxKxN between commas, beside oneDNN's").value_name("SIZES");
  command.add_option("--bits", options->bits, "With --gemm: of the weights, as 8 or 4,8").needs(gemm).show_default();
  command.add_option("--seconds", options->seconds, "For each batch, number of threads and product of matrices")
      .within(0.01, 3600.0)
      .show_default();
  command.add_flag("--json", options->json, "Print JSON");
  command.when_chosen([options, &run] { run = [options] { return bench(*options); }; });
}

}  // namespace halftone::cli
