// A module in Verilator: built once, kept, and driven with words.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halftone/rtl/fault.h"
#include "halftone/rtl/kept.h"
#include "halftone/rtl/top.h"
#include "halftone/rtl/words.h"

namespace halftone::rtl {

// Per cent of cycles in which each stream pauses, at random.
struct Stalls {
  std::array<int, kInputs> in{};
  int out = 0;
};

// One run from reset on.
struct Job {
  Words config;
  std::vector<Words> in;
  std::size_t results = 0;  // words that come out
  Stalls stalls;
  std::uint32_t seed = 1;
  // All streams share so many bytes a cycle, and their words come in this order (0 is a) at this cost each; 0: a word a cycle each.
  int bytes_a_cycle = 0;
  std::vector<std::uint8_t> order;
  std::array<int, kInputs> cost{};
};

struct Outcome {
  std::uint64_t cycles = 0;  // from the first word in to the last word out
  Words out;
};

class Simulation {
 public:
  // Builds in `kept`, unless it has been: minutes for large arrays. Throws UnsupportedError without Verilator or a compiler, SystemError
  // where building fails.
  Simulation(const Top& top, const std::filesystem::path& kept, const std::optional<Fault>& fault = std::nullopt);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // Throws InputError when it stops before all words are out.
  Outcome run(const Job& job);

 private:
  class Process;
  Top top_;
  std::unique_ptr<Process> process_;
};

}  // namespace halftone::rtl
