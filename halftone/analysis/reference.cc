#include "halftone/analysis/reference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/data/dataset.h"

namespace halftone::analysis {

std::size_t output_index(const NamedOutputs& outputs, const std::string& name, std::string_view where) {
  if (name.empty()) return 0;
  const auto at = std::ranges::find(outputs.names, name);
  if (at == outputs.names.end())
    throw UsageError(where, fmt::format("'{}' has no output '{}', expected one of: {}", outputs.network, name,
                                        fmt::join(outputs.names, ", ")));
  return static_cast<std::size_t>(at - outputs.names.begin());
}

std::vector<Reference> match_reference(const data::NamedTensors& arrays, const NamedOutputs& outputs,
                                       const ReferencePart& part, std::string_view where) {
  const std::vector<std::string>& names = outputs.names;
  const auto named = [&](const auto& array) { return std::ranges::count(names, array.first) > 0; };
  const bool single = arrays.size() == 1 && !part.output.empty();
  const bool in_order = std::ranges::none_of(arrays, named) && (arrays.size() == names.size() || single);
  std::vector<Reference> references;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    if (!in_order && !named(arrays[i])) continue;
    const std::size_t at = in_order && !single ? i : output_index(outputs, in_order ? part.output : arrays[i].first, where);
    if (!part.output.empty() && names[at] != part.output) continue;
    Tensor rows = arrays[i].second;
    if (rows.rank() > 0 && rows.dim(0) == part.total && part.samples < part.total) rows = data::sample_rows(rows, part.samples);
    references.push_back({at, names[at], std::move(rows)});
  }
  if (references.empty())
    throw InputError(where, fmt::format("no array for an output of '{}', expected one for: {}", outputs.network,
                                        part.output.empty() ? fmt::format("{}", fmt::join(names, ", ")) : part.output));
  return references;
}

}  // namespace halftone::analysis
