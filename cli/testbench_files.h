// Arrays of a testbench as files, and the places where a manifest finds them.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "cli/testbench_folder.h"
#include "halftone/base/new_files.h"
#include "halftone/testbench/c_header.h"

namespace halftone::cli {

using OrderedJson = nlohmann::ordered_json;

// The beginnings of a layer's names.
struct TestbenchNames {
  std::string file;
  std::string identifier;  // in C
};

// By layer's name, in the same order: nothing that leads out of the folder, no two alike.
std::vector<TestbenchNames> testbench_names(const std::vector<std::string>& layers);

class TestbenchFiles {
 public:
  explicit TestbenchFiles(const TestbenchFolder& folder) : folder_(folder) {}

  // Writes FILE.kind.npy and FILE.kind.mem aside, and the array IDENTIFIER_kind into the header where it is small enough; there it is
  // another name of the array `same_as`, if that is in the header. Returns its shape, bits and names.
  OrderedJson add(const TestbenchNames& names, const std::string& kind, const testbench::IntegerArray& array, const std::string& same_as = "");
  // FILE.kind.mem alone, a byte a line.
  OrderedJson add_bytes(const TestbenchNames& names, const std::string& kind, const testbench::IntegerArray& bytes);
  // A number in the header alone.
  void add(const TestbenchNames& names, const std::string& kind, std::int64_t number);

  // Everything appears, with a manifest that also lists all files. Returns their number.
  std::size_t publish(OrderedJson manifest, std::int64_t samples);

 private:
  std::string write(std::string name, std::span<const std::byte> bytes);
  std::string write_mem(const std::string& name, const testbench::IntegerArray& array);

  const TestbenchFolder& folder_;
  NewFiles files_;
  std::set<std::string> names_;
  testbench::CHeader header_;
};

}  // namespace halftone::cli
