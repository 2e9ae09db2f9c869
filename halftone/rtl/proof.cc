#include "halftone/rtl/proof.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/rtl/texts.h"
#include "halftone/rtl/tool.h"

namespace halftone::rtl {
namespace {

const Tool kYosys{"yosys", "yosys"};
const Tool kZ3{"z3", "z3"};

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_smt2(const Proof& proof, const std::filesystem::path& folder, const std::optional<Fault>& fault) {
  write_library(folder / "library", fault);
  std::filesystem::create_directories(folder / "proofs");
  for (const Text& text : embedded_texts())
    if (text.folder == "proofs") write_file(folder / "proofs" / text.name, text.text);
  std::string parameters;
  for (const auto& [name, value] : proof.parameters) parameters += fmt::format(" -chparam {} {}", name, value);
  run_or_throw({.tool = kYosys,
                .arguments = {"-q", "-p",
                              fmt::format("read_verilog -sv library/*.sv proofs/*.sv; hierarchy -check -top {0}{1}; proc; flatten; opt -nodffe -nosdff; "
                                          "techmap -map proofs/Transparent.v; rename -top {0}; opt -full; opt_clean -purge; check -assert; "
                                          "select -assert-none t:$dff t:$dffe t:$sdff; write_smt2 -bv -wires statement.smt2",
                                          proof.module, parameters)},
                .folder = folder,
                .log = folder / "yosys.log",
                .limit = std::chrono::minutes(10)});
}

// Is there an input for which ok_o is 0?
void write_question(const Proof& proof, const std::filesystem::path& folder) {
  const std::string statement = text_of(folder / "statement.smt2");
  std::string inputs;
  const std::regex input("; yosys-smt2-input (\\S+) \\d+");
  for (auto each = std::sregex_iterator(statement.begin(), statement.end(), input); each != std::sregex_iterator(); ++each)
    if ((*each)[1] != "clk_i") inputs += fmt::format("(|{}_n {}| s) ", proof.module, (*each)[1].str());
  std::string question = "(set-option :produce-models true)\n(set-logic QF_UFBV)\n" + statement +
                         fmt::format("(declare-fun s () |{0}_s|)\n(assert (not (|{0}_n ok_o| s)))\n", proof.module);
  const std::string ask = proof.split_by.empty() ? "(check-sat)" : "(check-sat-using qfufbv)";
  if (proof.split_by.empty()) question += fmt::format("{}\n(get-value ({}))\n", ask, inputs);
  for (int value = 0; value < 1 << proof.split_bits && !proof.split_by.empty(); ++value)
    question += fmt::format("(push 1)\n(assert (= (|{}_n {}| s) (_ bv{} {})))\n{}\n(pop 1)\n", proof.module, proof.split_by, value, proof.split_bits, ask);
  write_file(folder / "question.smt2", question);
}

// A line a question: unsat, sat or unknown; behind a sat the values of the inputs.
ProofResult answer_of(const Proof& proof, const std::filesystem::path& log) {
  const std::string text = text_of(log);
  std::istringstream lines(text);
  int unsat = 0;
  bool sat = false;
  for (std::string line; std::getline(lines, line);) {
    unsat += line == "unsat";
    sat = sat || line == "sat";
  }
  ProofResult result;
  if (sat) result.verdict = Verdict::refuted;
  else if (unsat == (proof.split_by.empty() ? 1 : 1 << proof.split_bits)) result.verdict = Verdict::proven;
  const std::regex value("\\(\\|?\\w+_n (\\w+)\\|? s\\) (#\\w+)\\)");
  if (sat)
    for (auto each = std::sregex_iterator(text.begin(), text.end(), value); each != std::sregex_iterator(); ++each)
      result.counterexample += fmt::format("{}{}={}", result.counterexample.empty() ? "" : ", ", (*each)[1].str(), (*each)[2].str());
  return result;
}

}  // namespace

ProofResult prove(const Proof& proof, const std::filesystem::path& kept, std::chrono::seconds limit, const std::optional<Fault>& fault) {
  require(kYosys);
  require(kZ3);
  const std::filesystem::path folder = kept / fmt::format("proof.{}", ::getpid());
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  write_smt2(proof, folder, fault);
  write_question(proof, folder);
  const auto begin = std::chrono::steady_clock::now();
  const ToolEnd end = run({.tool = kZ3, .arguments = {"question.smt2"}, .folder = folder, .log = folder / "z3.log", .limit = limit});
  ProofResult result = answer_of(proof, folder / "z3.log");
  // z3 fails where it has no values to give, behind its answer.
  if (end == ToolEnd::failed && result.verdict == Verdict::undecided && text_of(folder / "z3.log").find("unknown") == std::string::npos)
    throw SystemError("rtl", fmt::format("z3 failed ({})", (folder / "z3.log").string()));
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::filesystem::remove_all(folder);
  return result;
}

}  // namespace halftone::rtl
