#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <optional>

namespace halftone::cli {
namespace {

// Last first, as CLI11 takes them. It reads "-5" as a number, but "-.5" and "-inf" as options: a blank keeps
// it off.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  for (std::string& argument : arguments)
    if (argument.starts_with("-.") || argument.starts_with("-inf")) argument.insert(0, " ");
  std::ranges::reverse(arguments);
  return arguments;
}

// Whether an argument is empty that no option takes: CLI11 loops for ever on it.
bool has_stray_empty_argument(const CLI::App& command, int first, int argc, char** argv) {
  for (int i = first; i < argc; ++i) {
    if (*argv[i] != '\0') continue;
    const CLI::Option* option = i > first && argv[i - 1][0] == '-' ? command.get_option_no_throw(argv[i - 1]) : nullptr;
    if (option == nullptr || option->get_items_expected_max() == 0) return true;
  }
  return false;
}

// A mistake that CLI11 would not tell, or not well; empty where there is none.
std::string mistake_in(const CLI::App& app, bool has_commands, int argc, char** argv) {
  const CLI::App* command = &app;
  int first = 1;
  if (has_commands && argc > 1 && argv[1][0] != '-') {
    const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
    const auto asked = std::ranges::find(commands, argv[1], [](const CLI::App* c) { return c->get_name(); });
    if (asked == commands.end()) return fmt::format("unknown command '{}'", argv[1]);
    command = *asked;
    first = 2;
  }
  return has_stray_empty_argument(*command, first, argc, argv) ? "got an empty argument, expected some text" : "";
}

}  // namespace

Option Option::required() const { return Option(option_->required()); }
Option Option::show_default() const { return Option(option_->capture_default_str()); }
Option Option::one_of(std::initializer_list<const char*> words) const { return Option(option_->check(CLI::IsMember(words))); }
Option Option::one_of(std::initializer_list<int> numbers) const { return Option(option_->check(CLI::IsMember(numbers))); }
Option Option::within(int least, int most) const { return Option(option_->check(CLI::Range(least, most))); }
// CLI::Range lets NaN pass, which is neither below nor above.
Option Option::within(double least, double most) const {
  const auto inside = [least, most](const std::string& text) {
    double value = 0.0;
    if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most) return std::string();
    return fmt::format("Value {} not in range {} to {}", text, least, most);
  };
  return Option(option_->check(CLI::Validator(inside, fmt::format("FLOAT in [{} - {}]", least, most))));
}
Option Option::needs(Option other) const { return Option(option_->needs(other.option_)); }
Option Option::excludes(Option other) const { return Option(option_->excludes(other.option_)); }
Option Option::value_name(const std::string& name) const { return Option(option_->type_name(name)); }
Option Option::description(const std::string& text) const { return Option(option_->description(text)); }
Option Option::one_value_each() const { return Option(option_->allow_extra_args(false)); }
Option Option::expected(int count) const { return Option(option_->expected(count)); }
Option Option::take_all() const { return Option(option_->take_all()); }

template <typename T>
Option Command::add_option(const std::string& name, T& value, const std::string& text) const {
  return Option(app_->add_option(name, value, text));
}

template <typename T>
Option Command::add_flag(const std::string& name, T& value, const std::string& text) const {
  return Option(app_->add_flag(name, value, text));
}

template Option Command::add_option(const std::string&, std::string&, const std::string&) const;
template Option Command::add_option(const std::string&, std::vector<std::string>&, const std::string&) const;
template Option Command::add_option(const std::string&, int&, const std::string&) const;
template Option Command::add_option(const std::string&, std::int64_t&, const std::string&) const;
template Option Command::add_option(const std::string&, std::uint64_t&, const std::string&) const;
template Option Command::add_option(const std::string&, double&, const std::string&) const;
template Option Command::add_option(const std::string&, float&, const std::string&) const;
template Option Command::add_option(const std::string&, std::optional<std::string>&, const std::string&) const;
template Option Command::add_option(const std::string&, std::optional<double>&, const std::string&) const;
template Option Command::add_option(const std::string&, std::optional<int>&, const std::string&) const;
template Option Command::add_option(const std::string&, std::optional<std::int64_t>&, const std::string&) const;
template Option Command::add_flag(const std::string&, bool&, const std::string&) const;
template Option Command::add_flag(const std::string&, std::string&, const std::string&) const;

Command Command::add_group(const std::string& name, const std::string& text) const {
  return Command(app_->add_option_group(name, text));
}
Command Command::add_command(const std::string& name, const std::string& text) const {
  return Command(app_->add_subcommand(name, text));
}
Option Command::option(const std::string& name) const { return Option(app_->get_option(name)); }
void Command::remove_option(const std::string& name) const { app_->remove_option(app_->get_option(name)); }
void Command::require_option(int least, int most) const {
  app_->require_option(static_cast<std::size_t>(least), static_cast<std::size_t>(most));
}
bool Command::was_given(const std::string& option) const {
  const CLI::Option* found = app_->get_option_no_throw(option);
  return found != nullptr && found->count() > 0;
}
void Command::footer(const std::string& text) const { app_->footer(text); }
void Command::when_chosen(std::function<void()> call) const { app_->callback(std::move(call)); }
void Command::pass_on() const {
  app_->prefix_command();
  app_->set_help_flag();
}
std::vector<std::string> Command::passed_on() const { return app_->remaining(); }

int run(const Program& program, int argc, char** argv, const std::function<void(Command, Run&)>& describe) {
  CLI::App app(program.about, program.name);
  if (program.has_commands) app.require_subcommand(1);
  if (!program.version.empty()) app.set_version_flag("--version", program.version);
  Run chosen;
  describe(Command(&app), chosen);
  const auto told = [&](const std::string& mistake) {
    return fail(program.name, fmt::format("[usage] {}; see {} --help", mistake, program.name), kUsage);
  };
  if (const std::string mistake = mistake_in(app, program.has_commands, argc, argv); !mistake.empty()) return told(mistake);
  try {
    app.parse(arguments_of(argc, argv));
  } catch (const CLI::Success& success) {
    return app.exit(success);  // --help and --version
  } catch (const CLI::ParseError& error) {
    return told(error.what());
  }
  return chosen();
}

}  // namespace halftone::cli
