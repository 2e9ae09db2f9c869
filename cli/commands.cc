#include "cli/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace halftone::cli {
namespace {

constexpr const char* kAbout =
    "Turns trained float networks into integers, shows what that costs, and proves the integers.\n"
    "Example: halftone quantize mlp.onnx --data mnist -o mlp.int8.onnx";

// Last first, as CLI11 takes them. It reads "-5" as a number, but "-.5" and "-inf" as options: a blank keeps
// it off.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  for (std::string& argument : arguments)
    if (argument.starts_with("-.") || argument.starts_with("-inf")) argument.insert(0, " ");
  std::ranges::reverse(arguments);
  return arguments;
}

// Whether an argument is empty that no option takes: CLI11 2.3 loops for ever on it.
bool has_stray_empty_argument(CLI::App& app, int argc, char** argv) {
  for (int i = 2; i < argc; ++i) {
    if (*argv[i] != '\0') continue;
    if (argv[1][0] == '-') return true;  // no command
    const CLI::Option* option = argv[i - 1][0] == '-' ? app.get_subcommand(argv[1])->get_option_no_throw(argv[i - 1]) : nullptr;
    if (option == nullptr || option->get_items_expected_max() == 0) return true;
  }
  return false;
}

int parse_and_run(int argc, char** argv) {
  CLI::App app(kAbout, "halftone");
  app.require_subcommand(1);
  app.set_version_flag("--version", "halftone 0.1.0");
  Run run;
  add_train(app, run);
  add_model(app, run);
  add_inspect(app, run);
  add_calibrate(app, run);
  add_quantize(app, run);
  add_evaluate(app, run);
  add_analyze(app, run);
  add_run(app, run);
  add_verify(app, run);
  add_sweep(app, run);
  add_search(app, run);
  add_export(app, run);
  add_number(app, run);
  const auto is_asked_for = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && std::ranges::none_of(app.get_subcommands({}), is_asked_for))
    return fail("halftone", fmt::format("[usage] unknown command '{}'; see halftone --help", argv[1]),
                kUsage);
  if (has_stray_empty_argument(app, argc, argv))
    return fail("halftone", "[usage] got an empty argument, expected some text; see halftone --help", kUsage);
  try {
    app.parse(arguments_of(argc, argv));
  } catch (const CLI::Success& success) {
    return app.exit(success);  // --help and --version
  } catch (const CLI::ParseError& error) {
    return fail("halftone", fmt::format("[usage] {}; see halftone --help", error.what()), kUsage);
  }
  return run();
}

}  // namespace

int run_command_line(int argc, char** argv) {
  return guarded("halftone", [&] { return parse_and_run(argc, argv); });
}

}  // namespace halftone::cli
