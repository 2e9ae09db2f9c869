// A folder of a test's own, and the place of data sets while a test runs.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/base/scratch.h"

namespace halftone::data {

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
