// A directory of a test's own, removed with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace halftone::data {

class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "halftone-data-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// HALFTONE_DATA while it lives.
class ScopedDataRoot {
 public:
  explicit ScopedDataRoot(const std::filesystem::path& root) {
    if (const char* old = std::getenv("HALFTONE_DATA")) old_ = old;
    ::setenv("HALFTONE_DATA", root.c_str(), 1);
  }
  ScopedDataRoot(const ScopedDataRoot&) = delete;
  ScopedDataRoot& operator=(const ScopedDataRoot&) = delete;
  ~ScopedDataRoot() {
    if (old_.empty()) {
      ::unsetenv("HALFTONE_DATA");
    } else {
      ::setenv("HALFTONE_DATA", old_.c_str(), 1);
    }
  }

 private:
  std::string old_;
};

}  // namespace halftone::data
