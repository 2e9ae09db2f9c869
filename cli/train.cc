#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/commands.h"
#include "halftone/base/error.h"

namespace halftone::cli {
namespace {

// Training is a program of its own beside this one, so that nothing else loads libtorch.
int execute(const std::string& command, const std::vector<std::string>& arguments) {
  const std::string name = "halftone " + command;
  const std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "halftone-train";
  if (!std::filesystem::exists(program))
    throw SystemError(command, fmt::format("no {}, the program that trains: it is built and installed beside halftone "
                                           "unless HALFTONE_TRAINING is OFF",
                                           program.string()));
  std::vector<char*> argv{const_cast<char*>(name.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  throw SystemError(command, fmt::format("cannot start {}: {}", program.string(), std::strerror(errno)));
}

}  // namespace

void add_train(Command app, Run& run) {
  const std::pair<const char*, const char*> commands[] = {{"train", "Train a built-in network or an ONNX file in float"},
                                                          {"finetune", "Train a float model at the integers that it will run in"}};
  for (const auto& [name, text] : commands) {
    const Command command = app.add_command(name, text);
    command.pass_on();  // halftone-train has a --help of its own
    command.when_chosen([command, &run, name] { run = [command, name] { return execute(name, command.passed_on()); }; });
  }
}

}  // namespace halftone::cli
