#include "halftone/models/build.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/models/lenet.h"
#include "halftone/models/mlp.h"
#include "halftone/models/mobilenetv2.h"
#include "halftone/models/resnet18.h"
#include "halftone/models/squeezenet.h"
#include "halftone/models/vgg16.h"

namespace halftone::models {
namespace {

constexpr std::int64_t kSmallClasses = 10;
constexpr std::int64_t kImageNetClasses = 1000;

struct Entry {
  std::string_view name;
  ir::Graph (*build)(std::uint64_t seed, std::int64_t classes);
  std::int64_t classes;  // of the data it was published with
};
constexpr Entry kEntries[] = {
    {"lenet", build_lenet, kSmallClasses},
    {"lenet-bias", build_lenet_bias, kSmallClasses},
    {"mlp", build_mlp, kSmallClasses},
    {"mobilenetv2", build_mobilenetv2, kImageNetClasses},
    {"resnet18", build_resnet18, kImageNetClasses},
    {"squeezenet", build_squeezenet, kImageNetClasses},
    {"vgg16", build_vgg16, kImageNetClasses},
};

}  // namespace

ir::Graph build(std::string_view name, std::uint64_t seed, const BuildOptions& options) {
  const auto* entry = std::ranges::find(kEntries, name, &Entry::name);
  if (entry == std::end(kEntries))
    throw UsageError("models",
                     fmt::format("unknown network, got '{}', expected {}", name, fmt::join(names(), ", ")));
  const std::int64_t classes = options.classes.value_or(entry->classes);
  if (classes < 2)
    throw UsageError("models", fmt::format("too few classes, got {}, expected 2 or more", classes));
  ir::Graph graph = entry->build(seed, classes);
  graph.name = name;
  return graph;
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const Entry& entry : kEntries) result.emplace_back(entry.name);
  return result;
}

}  // namespace halftone::models
