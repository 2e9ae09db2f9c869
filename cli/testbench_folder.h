// The folder of a testbench, which is new, empty, or an earlier testbench that is replaced.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace halftone::cli {

inline constexpr const char* kManifest = "manifest.json";
inline constexpr const char* kTestbenchFormat = "halftone testbench 1";  // as the manifest says

class TestbenchFolder {
 public:
  // Makes the folder. Throws UsageError for one that holds anything else, SystemError where it cannot be made.
  explicit TestbenchFolder(const std::filesystem::path& path);
  TestbenchFolder(const TestbenchFolder&) = delete;
  TestbenchFolder& operator=(const TestbenchFolder&) = delete;
  // Removes what the constructor made, unless something is in it.
  ~TestbenchFolder();

  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  // Once these files are there: removes those of the earlier testbench that are none of them.
  void keep_alone(const std::set<std::string>& files) const;

 private:
  void make();

  std::filesystem::path path_;
  std::vector<std::filesystem::path> made_;  // the innermost last
  std::vector<std::string> earlier_;         // files of the testbench that was there
};

}  // namespace halftone::cli
