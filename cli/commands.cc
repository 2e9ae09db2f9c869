#include "cli/commands.h"

namespace halftone::cli {
namespace {

constexpr const char* kAbout =
    "Turns trained float networks into integers, shows what that costs, and proves the integers.\n"
    "Example: halftone quantize mlp.onnx --data mnist -o mlp.int8.onnx";

void add_commands(Command app, Run& run) {
  add_train(app, run);
  add_model(app, run);
  add_inspect(app, run);
  add_calibrate(app, run);
  add_quantize(app, run);
  add_evaluate(app, run);
  add_analyze(app, run);
  add_run(app, run);
  add_verify(app, run);
  add_bench(app, run);
  add_sweep(app, run);
  add_search(app, run);
  add_export(app, run);
  add_rtl(app, run);
  add_number(app, run);
}

}  // namespace

int run_command_line(int argc, char** argv) {
  const Program program{.name = "halftone", .about = kAbout, .version = "halftone 0.1.0", .has_commands = true};
  return guarded(program.name, [&] { return run(program, argc, argv, add_commands); });
}

}  // namespace halftone::cli
