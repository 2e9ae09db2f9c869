#include "cli/testbench_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ranges>
#include <system_error>

#include "halftone/base/error.h"

namespace halftone::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostManifestBytes = std::uintmax_t{1} << 30;

// The files that the folder's manifest lists. It is no input: it may be written over.
std::vector<std::string> listed_files(const fs::path& manifest) {
  std::error_code ignored;
  if (!fs::is_regular_file(manifest, ignored) || fs::file_size(manifest, ignored) > kMostManifestBytes) return {};
  std::ifstream in(manifest, std::ios::binary);
  const nlohmann::json json = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("format", nlohmann::json()) != kTestbenchFormat) return {};
  std::vector<std::string> files;
  for (const nlohmann::json& file : json.value("files", nlohmann::json::array()))
    if (file.is_string()) files.push_back(file);
  return files;
}

bool is_plain_name(const std::string& name) { return !name.empty() && name != "." && name != ".." && fs::path(name).filename() == name; }

}  // namespace

TestbenchFolder::TestbenchFolder(const fs::path& path) : path_(path) {
  std::error_code error;
  const fs::file_status status = fs::status(path_, error);
  if (fs::exists(status) && !fs::is_directory(status)) throw UsageError("--testbench", fmt::format("'{}' is a file, expected a folder", path.string()));
  if (!fs::exists(status)) {
    make();
    return;
  }
  if (fs::is_empty(path_, error) && !error) return;
  earlier_ = listed_files(path_ / kManifest);
  if (earlier_.empty())
    throw UsageError("--testbench", fmt::format("'{}' holds other files than a testbench's, expected a new or an empty folder, or an earlier testbench",
                                                path.string()));
}

TestbenchFolder::~TestbenchFolder() {
  std::error_code ignored;
  for (const fs::path& made : std::views::reverse(made_)) fs::remove(made, ignored);  // takes empty ones alone
}

void TestbenchFolder::make() {
  std::vector<fs::path> missing;
  std::error_code error;
  for (fs::path at = fs::absolute(path_); !at.empty() && !fs::exists(at, error); at = at.parent_path())
    if (at.has_filename()) missing.push_back(at);
  for (const fs::path& folder : std::views::reverse(missing)) {
    if (fs::create_directory(folder, error)) made_.push_back(folder);
    if (!error) continue;
    const std::string why = error.message();
    for (const fs::path& made : std::views::reverse(made_)) fs::remove(made, error);
    throw SystemError(path_.string(), fmt::format("cannot make folder: {}", why));
  }
}

void TestbenchFolder::keep_alone(const std::set<std::string>& files) const {
  std::error_code ignored;
  for (const std::string& name : earlier_)
    if (is_plain_name(name) && !files.contains(name)) fs::remove(path_ / name, ignored);
}

}  // namespace halftone::cli
