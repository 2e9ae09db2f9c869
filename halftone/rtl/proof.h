// Statements about the written modules for every input at once: proofs/*.sv, each with an output ok_o that has to be 1, decided by z3.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "halftone/rtl/fault.h"

namespace halftone::rtl {

struct Proof {
  std::string name;    // for users
  std::string module;  // proofs/*.sv
  std::vector<std::pair<std::string, int>> parameters;
  // One question for each value of this input, which z3 answers sooner than one for all.
  std::string split_by;
  int split_bits = 0;
};

// All that is proven of the library.
std::vector<Proof> proofs();

// A fault and the proof that finds it.
struct PlantedFault {
  std::string name;
  Fault fault;
  Proof proof;
};
std::vector<PlantedFault> planted_faults();

enum class Verdict { proven, refuted, undecided };  // undecided: the time was up, or z3 does not know

struct ProofResult {
  Verdict verdict = Verdict::undecided;
  double seconds = 0.0;
  std::string counterexample;  // "a_i=#x80, b_i=#x80" of a refuted one
};

// Registers are made transparent: what is proven is what a word becomes that moves through a stage a cycle. Throws UnsupportedError without Yosys or
// z3, SystemError where Yosys fails.
ProofResult prove(const Proof& proof, const std::filesystem::path& kept, std::chrono::seconds limit, const std::optional<Fault>& fault = std::nullopt);

}  // namespace halftone::rtl
