// Names from a model, which may hold anything, as names of files and of an archive's members.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::data {

// Names of files in one folder: nothing that leads out of it, no two the same, none longer than a file system takes.
class FileNames {
 public:
  FileNames() = default;
  // None of these either.
  explicit FileNames(std::set<std::string> used) : used_(std::move(used)) {}

  std::string of(std::string_view value);

 private:
  std::set<std::string> used_;
};

// Names for members of an archive, in the same order: those that lead nowhere out of the folder it is unpacked in (no
// root or drive, no "..", no backslash) and are plain text (shown.h) stay as they are, the others become FileNames that
// none of them is, without "..". Equal names stay equal.
std::vector<std::string> member_names(const std::vector<std::string>& names);

}  // namespace halftone::data
