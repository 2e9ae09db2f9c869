#include "cli/named_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "halftone/base/error.h"
#include "halftone/data/file_names.h"
#include "halftone/data/npy.h"

namespace halftone::cli {
namespace {

namespace fs = std::filesystem;

bool is_npz(const std::string& file) { return fs::path(file).extension() == ".npz"; }

// Whether '=' is part of a path: there is such a file, or a folder to put it in.
bool is_path(const std::string& text) {
  std::error_code ignored;
  const fs::path path(text);
  const bool folder = text.find('/') < text.find('=') && fs::is_directory(path.parent_path(), ignored);
  return folder || fs::exists(path, ignored);
}

NamedFile parse(const char* option, const std::string& text, const std::vector<std::string>& names) {
  // Names may hold any sign.
  for (std::size_t at = text.find('='); at != std::string::npos; at = text.find('=', at + 1))
    if (std::ranges::count(names, text.substr(0, at)) > 0) return {text.substr(0, at), text.substr(at + 1)};
  if (text.find('=') == std::string::npos || is_path(text)) return {is_npz(text) ? "" : names.at(0), text};
  throw UsageError(option, fmt::format("no '{}', got '{}', expected FILE or NAME=FILE with one of: {}",
                                       text.substr(0, text.find('=')), text, fmt::join(names, ", ")));
}

}  // namespace

std::vector<NamedFile> parse_named_files(const char* option, const std::vector<std::string>& texts,
                                         const std::vector<std::string>& names) {
  std::vector<NamedFile> files;
  for (const std::string& text : texts) {
    files.push_back(parse(option, text, names));
    if (files.back().file.empty())
      throw UsageError(option, fmt::format("got '{}', expected a file name after '='", text));
  }
  return files;
}

std::vector<Tensor> read_inputs(const std::vector<NamedFile>& files, const std::vector<std::string>& names) {
  std::map<std::string, data::StoredArray> found;
  const auto add = [&](const std::string& name, const std::string& file, const data::StoredArray& array) {
    if (std::ranges::count(names, name) == 0)
      throw UsageError(
          "--input", fmt::format("no input '{}' as in {}, expected: {}", name, file, fmt::join(names, ", ")));
    if (!found.emplace(name, array).second)
      throw UsageError("--input", fmt::format("'{}' given twice", name));
  };
  for (const NamedFile& file : files) {
    if (!file.name.empty()) {
      add(file.name, file.file, data::open_npy(file.file));
      continue;
    }
    for (const data::StoredArray& array : data::open_npz(file.file)) add(array.name, file.file, array);
  }
  std::vector<Tensor> inputs;
  for (const std::string& name : names) {
    const auto at = found.find(name);
    if (at == found.end())
      throw UsageError("--input", fmt::format("nothing for '{}', expected an array for each of: {}", name,
                                              fmt::join(names, ", ")));
    inputs.push_back(at->second.read());
  }
  return inputs;
}

void add_outputs(const std::vector<NamedFile>& files, const std::vector<std::string>& names,
                 const std::vector<Tensor>& tensors, NewFiles& written) {
  data::NamedTensors all;
  const std::vector<std::string> members = data::member_names(names);
  for (std::size_t i = 0; i < names.size(); ++i) all.emplace_back(members[i], tensors.at(i));
  for (const NamedFile& file : files) {
    if (file.name.empty()) {
      written.add(file.file, data::encode_npz(all));
      continue;
    }
    const auto at = static_cast<std::size_t>(std::ranges::find(names, file.name) - names.begin());
    if (is_npz(file.file))
      written.add(file.file, data::encode_npz({all[at]}));
    else
      written.add(file.file, data::encode_npy(tensors[at]));
  }
}

}  // namespace halftone::cli
