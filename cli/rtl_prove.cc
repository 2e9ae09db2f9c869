#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/outcome.h"
#include "cli/rtl_options.h"
#include "halftone/report/progress.h"
#include "halftone/rtl/kept.h"
#include "halftone/rtl/proof.h"

namespace halftone::cli {
namespace {

using Json = nlohmann::json;

const char* word_of(rtl::Verdict verdict) {
  switch (verdict) {
    case rtl::Verdict::proven: return "proven";
    case rtl::Verdict::refuted: return "refuted";
    case rtl::Verdict::undecided: break;
  }
  return "undecided";
}

}  // namespace

int prove_library(const RtlOptions& options) {
  report::Progress progress(std::cerr, report::stderr_options());
  const std::filesystem::path kept = rtl::kept_folder(options.kept);
  const std::vector<rtl::Proof> all = rtl::proofs();
  Json out = Json::array();
  bool yes = true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    progress.update(static_cast<double>(i) / static_cast<double>(all.size()), all[i].name);
    const rtl::ProofResult result = rtl::prove(all[i], kept, std::chrono::seconds(options.limit));
    progress.erase();
    yes = yes && result.verdict == rtl::Verdict::proven;
    out.push_back({{"statement", all[i].name}, {"verdict", word_of(result.verdict)}, {"seconds", result.seconds}, {"counterexample", result.counterexample}});
    if (options.json) continue;
    const std::string tail = result.verdict == rtl::Verdict::refuted     ? ": " + result.counterexample
                             : result.verdict == rtl::Verdict::undecided ? fmt::format(" within {} s", options.limit)
                                                                         : fmt::format(" in {:.1f} s", result.seconds);
    print_line("{}: {}{}", all[i].name, word_of(result.verdict), tail);
  }
  if (options.json) print_json(out);
  return yes ? kYes : kNo;
}

}  // namespace halftone::cli
