#include "cli/recipe_beside.h"

#include <nlohmann/json.hpp>
#include <fmt/format.h>

#include "cli/warnings.h"
#include "halftone/base/digest.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/base/toml_table.h"
#include "halftone/quant/recipe_file.h"

namespace halftone::cli {
namespace {

// Nothing of what is no recipe, or one without a digest: whoever uses it will hear of that.
std::optional<std::string> digest_said_by(const std::filesystem::path& recipe) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(recipe, ignored)) return std::nullopt;
  try {
    const std::vector<std::byte> bytes = read_file(recipe, quant::kMostRecipeBytes);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto said = parse_toml(text, recipe.string())["file"][kModelDigest].value<std::string>();
    const bool is_digest = said && said->size() == 16 && said->find_first_not_of("0123456789abcdef") == std::string::npos;
    return is_digest ? said : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<std::filesystem::path> recipe_beside(const std::string& output) {
  // /dev/stdout may lead to a plain file, beside whose device no recipe belongs.
  const std::string path = std::filesystem::absolute(output).lexically_normal().string();
  if (is_special_file(output) || path.starts_with("/dev/") || path.starts_with("/proc/")) return std::nullopt;
  return std::filesystem::path(output).replace_extension(".recipe.toml");
}

nlohmann::json check_recipe_beside(const ModelFile& model) {
  const auto recipe = recipe_beside(model.path);
  if (!model.integers || !recipe) return nullptr;
  const auto said = digest_said_by(*recipe);
  if (!said) return nullptr;
  Digest digest;
  digest.add(read_file(model.path));
  if (digest.text() == *said) return true;
  print(Warnings{fmt::format("[{}] is the recipe of another file than {}: it says digest {}, and the file has {}",
                             recipe->string(), model.path, *said, digest.text())});
  return false;
}

}  // namespace halftone::cli
