// The pre-flight of a model: what keeps it from being quantized to integers alone, before any sample is seen.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "halftone/onnx_io/load.h"

namespace halftone::cli {

enum class Verdict {
  unsupported,  // the file cannot be read because of it
  floating,     // it would be a float island
  float_end,    // it ends the network in float, which is no obstacle
};

struct Finding {
  Verdict verdict = Verdict::unsupported;
  std::string op;  // both empty when the reason names the place itself
  std::string name;
  std::string reason;
  std::string remedy;
};

struct Checked {
  std::string model;
  std::vector<Finding> findings;
  std::size_t nodes = 0;   // of the float network, simplified; 0 when it was not read
  bool quantized = false;  // already
  bool complete = true;    // more may come to light once these are gone

  std::size_t count(Verdict verdict) const;
  bool integers_alone() const { return count(Verdict::unsupported) + count(Verdict::floating) == 0; }
};

// Throws InputError when the file is damaged.
Checked check_model(const std::string& path, const onnx_io::InputShapes& shapes);

nlohmann::json to_json(const Checked& checked);
// One line a kind of finding, and a line that sums up.
void print_check(const Checked& checked);

}  // namespace halftone::cli
