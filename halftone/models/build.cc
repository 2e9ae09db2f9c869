#include "halftone/models/build.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/models/lenet.h"
#include "halftone/models/mlp.h"

namespace halftone::models {
namespace {

struct Entry {
  std::string_view name;
  ir::Graph (*build)(std::uint64_t seed, const BuildOptions& options);
};
constexpr Entry kEntries[] = {
    {"lenet", build_lenet},
    {"lenet-bias", build_lenet_bias},
    {"mlp", build_mlp},
};

}  // namespace

ir::Graph build(std::string_view name, std::uint64_t seed, const BuildOptions& options) {
  const auto* entry = std::ranges::find(kEntries, name, &Entry::name);
  if (entry == std::end(kEntries))
    throw UsageError("models",
                     fmt::format("unknown network, got '{}', expected {}", name, fmt::join(names(), ", ")));
  if (options.classes < 2)
    throw UsageError("models", fmt::format("too few classes, got {}, expected 2 or more", options.classes));
  ir::Graph graph = entry->build(seed, options);
  graph.name = name;
  return graph;
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const Entry& entry : kEntries) result.emplace_back(entry.name);
  return result;
}

}  // namespace halftone::models
