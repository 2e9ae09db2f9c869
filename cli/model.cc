#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "cli/commands.h"
#include "cli/model_file.h"
#include "halftone/models/build.h"
#include "halftone/ir/work.h"
#include "halftone/onnx_io/save.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

struct Options {
  std::string name;
  std::string output;
  std::uint64_t seed = 1;
};

int make_model(const Options& options) {
  check_written({options.output});
  const ir::Graph graph = models::build(options.name, options.seed);
  onnx_io::save_model(graph, options.output);
  print_line("{} -> {}, {} of random weights from seed {}", options.name, options.output,
             report::format_bytes(ir::parameter_bytes(graph)), options.seed);
  return kYes;
}

}  // namespace

void add_model(Command app, Run& run) {
  auto options = std::make_shared<Options>();
  const Command command =
      app.add_command("model", "Write a network with random weights, to train or to measure with");
  command.footer("Example: halftone model resnet18 -o resnet18.onnx");
  command.add_option("name", options->name, fmt::format("{}", fmt::join(models::names(), ", "))).required();
  command.add_option("-o,--output", options->output, "The ONNX file to write").required();
  command.add_option("--seed", options->seed, "Decides the weights: the same seed gives the same bytes")
      .show_default();
  command.when_chosen([options, &run] { run = [options] { return make_model(*options); }; });
}

}  // namespace halftone::cli
