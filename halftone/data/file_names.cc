#include "halftone/data/file_names.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "halftone/base/shown.h"

namespace halftone::data {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

bool stays_inside(std::string_view name) {
  const bool drive = name.size() >= 2 && is_letter(name[0]) && name[1] == ':';
  if (name.empty() || name[0] == '/' || drive || name.find('\\') != std::string_view::npos) return false;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    if (name.substr(at, end - at) == "..") return false;
    at = end + 1;
  }
  return true;
}

// No dots in a row are left, though between other signs they would lead nowhere.
std::string without_parents(std::string name) {
  for (std::size_t at = name.find(".."); at != std::string::npos; at = name.find("..")) name.replace(at, 2, "__");
  return name;
}

bool is_harmless(std::string_view name) { return stays_inside(name) && shown(name, kAll) == name; }

}  // namespace

std::string FileNames::of(std::string_view value) {
  std::string name(value.substr(0, 200));
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-' && c != '.') c = '_';
  if (name.empty() || name.front() == '.') name.insert(0, "_");
  while (!used_.insert(name).second) name += '_';
  return name;
}

std::vector<std::string> member_names(const std::vector<std::string>& names) {
  std::map<std::string, std::string> members;
  std::set<std::string> harmless;
  for (const std::string& name : names)
    if (is_harmless(name)) harmless.insert(name);
  FileNames others(harmless);
  std::vector<std::string> result;
  for (const std::string& name : names) {
    auto at = members.find(name);
    if (at == members.end()) at = members.emplace(name, harmless.contains(name) ? name : others.of(without_parents(name))).first;
    result.push_back(at->second);
  }
  return result;
}

}  // namespace halftone::data
