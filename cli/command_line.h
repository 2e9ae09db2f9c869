// The command line as a command describes it. CLI11 does the work in command_line.cc alone, as each file that includes it
// compiles for seconds more.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "cli/outcome.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace halftone::cli {

// An option that was added. Every call returns the same option, so that calls chain.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option required() const;
  Option show_default() const;  // in --help: the value that the variable has now
  Option one_of(std::initializer_list<const char*> words) const;
  Option one_of(std::initializer_list<int> numbers) const;
  Option within(int least, int most) const;
  Option within(double least, double most) const;
  Option needs(Option other) const;
  Option excludes(Option other) const;
  Option value_name(const std::string& name) const;  // in --help
  Option description(const std::string& text) const;
  Option one_value_each() const;  // an option for several values takes one, and is given again for more
  Option expected(int count) const;  // values
  Option take_all() const;        // of an option that is given again

 private:
  friend class Command;
  CLI::Option* option_;
};

// A command, or a group of its options.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  // `name` as "-o,--output", or "model" for a positional argument. T: std::string, int, std::int64_t, std::uint64_t, double,
  // float, an optional int, double, std::int64_t or std::string, or a vector of strings; command_line.cc has the list.
  template <typename T>
  Option add_option(const std::string& name, T& value, const std::string& text) const;
  // T: bool; or std::string for a flag that may have a value, as "--smooth{0.5}".
  template <typename T>
  Option add_flag(const std::string& name, T& value, const std::string& text) const;
  Command add_group(const std::string& name, const std::string& text = "") const;
  Command add_command(const std::string& name, const std::string& text) const;

  Option option(const std::string& name) const;
  void remove_option(const std::string& name) const;
  void require_option(int least, int most) const;  // how many of a group's options are given
  bool was_given(const std::string& option) const;  // false for one that the command lacks

  void footer(const std::string& text) const;
  void when_chosen(std::function<void()> call) const;
  // Leaves every argument, --help too, for another program.
  void pass_on() const;
  std::vector<std::string> passed_on() const;

 private:
  CLI::App* app_;
};

struct Program {
  std::string name;
  std::string about;
  std::string version;        // empty: none
  bool has_commands = false;  // of which one has to be given
};

// Reads argv[1..] by what `describe` adds, and runs what it, or the command that was chosen, has set. Returns the exit code, also of
// --help, --version and a mistake in the command line, which is told.
int run(const Program& program, int argc, char** argv, const std::function<void(Command, Run&)>& describe);

}  // namespace halftone::cli
