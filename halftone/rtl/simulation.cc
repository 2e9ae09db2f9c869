#include "halftone/rtl/simulation.h"

#include <fmt/format.h>

#include "halftone/base/digest.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/rtl/conversation.h"
#include "halftone/rtl/texts.h"
#include "halftone/rtl/tool.h"

namespace halftone::rtl {
namespace {

const Tool kVerilator{"verilator", "verilator"};
const Tool kCompiler{"g++", "g++"};
const Tool kMake{"make", "make"};
constexpr std::uint32_t kPatience = 1 << 20;  // cycles

// As driver.cpp has it.
struct JobHeader {
  std::uint32_t seed, patience, bytes_a_cycle, stall[kInputs + 1], words[kInputs + 1], cost[kInputs], config_bytes, in_bytes[kInputs], out_bytes,
      order_words;
};
struct AnswerHeader {
  std::uint32_t stuck, last_at;
  std::uint64_t cycles, words;
};

std::string name_of(const Top& top, const std::optional<Fault>& fault) {
  Digest digest;
  const auto add = [&](std::string_view text) { digest.add(std::as_bytes(std::span(text))); };
  add(digest_of_library(fault));
  add(embedded_text("cosim", "driver.cpp"));
  add(top.text);
  return digest.text();
}

// Small functions compile fast without much optimisation, and simulate fast enough.
void build(const Top& top, const std::filesystem::path& folder, const std::optional<Fault>& fault) {
  write_library(folder / "library", fault);
  write_file(folder / "Top.sv", top.text);
  write_file(folder / "driver.cpp", embedded_text("cosim", "driver.cpp"));
  run_or_throw({.tool = kVerilator,
                .arguments = {"--cc", "--exe", "--build", "-j", "2", "-O3", "--x-assign", "unique", "--x-initial", "unique", "-Wno-fatal", "-Werror-USERERROR", "--top-module", "Top",
                              "-Mdir", (folder / "built").string(), "-y", (folder / "library").string(), "-CFLAGS", "-O1", "-MAKEFLAGS", "--silent",
                              "--output-split", "20000", (folder / "Top.sv").string(), (folder / "driver.cpp").string()},
                .folder = folder,
                .log = folder / "verilator.log"});
}

std::filesystem::path program_of(const Top& top, const std::filesystem::path& kept, const std::optional<Fault>& fault) {
  const auto make = [&](const std::filesystem::path& work) {
    build(top, work, fault);
    std::filesystem::rename(work / "built" / "VTop", work / "VTop");
    std::filesystem::remove_all(work / "built");
  };
  const std::string name = name_of(top, fault);
  if (!std::filesystem::exists(kept / name / "VTop"))
    for (const Tool& tool : {kVerilator, kCompiler, kMake}) require(tool);
  return made_once(kept, name, "VTop", make) / "VTop";
}

}  // namespace

class Simulation::Process : public Conversation {
  using Conversation::Conversation;
};

Simulation::Simulation(const Top& top, const std::filesystem::path& kept, const std::optional<Fault>& fault)
    : top_(top), process_(std::make_unique<Process>(program_of(top, kept, fault))) {}
Simulation::~Simulation() = default;

Outcome Simulation::run(const Job& job) {
  JobHeader header{.seed = job.seed, .patience = kPatience, .bytes_a_cycle = static_cast<std::uint32_t>(job.bytes_a_cycle)};
  Outcome outcome{0, Words(top_.output)};
  for (std::size_t i = 0; i < kInputs; ++i) {
    header.stall[i] = static_cast<std::uint32_t>(job.stalls.in[i]);
    header.cost[i] = static_cast<std::uint32_t>(job.cost[i]);
    if (i >= job.in.size()) continue;
    header.words[i] = static_cast<std::uint32_t>(job.in[i].count());
    header.in_bytes[i] = static_cast<std::uint32_t>(job.in[i].bytes_a_word());
  }
  header.stall[kInputs] = static_cast<std::uint32_t>(job.stalls.out);
  header.words[kInputs] = static_cast<std::uint32_t>(job.results);
  header.config_bytes = static_cast<std::uint32_t>(job.config.bytes().size());
  header.out_bytes = static_cast<std::uint32_t>(outcome.out.bytes_a_word());
  header.order_words = static_cast<std::uint32_t>(job.order.size());
  process_->say(std::as_bytes(std::span(&header, 1)));
  process_->say(std::as_bytes(std::span(job.config.bytes())));
  for (const Words& words : job.in) process_->say(std::as_bytes(std::span(words.bytes())));
  process_->say(std::as_bytes(std::span(job.order)));

  AnswerHeader answer{};
  process_->hear(std::as_writable_bytes(std::span(&answer, 1)));
  outcome.out.bytes().resize(job.results * outcome.out.bytes_a_word());
  process_->hear(std::as_writable_bytes(std::span(outcome.out.bytes())));
  if (answer.stuck != 0)
    throw InputError("rtl", fmt::format("the simulation stands still after {} of {} words", answer.words, job.results));
  if (answer.last_at != 0 && answer.last_at != job.results)
    throw InputError("rtl", fmt::format("the simulation calls word {} the last, expected word {}", answer.last_at, job.results));
  outcome.cycles = answer.cycles;
  return outcome;
}

}  // namespace halftone::rtl
