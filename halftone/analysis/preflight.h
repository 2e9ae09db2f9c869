// The reasons that keep a network from integers alone, known before any sample is seen, and the ways out.
#pragma once

#include <string>
#include <vector>

#include "halftone/base/error.h"
#include "halftone/quant/islands.h"

namespace halftone::analysis {

enum class Verdict {
  unsupported,  // the network cannot be read or quantized because of it
  floating,     // it would be a float island
  float_end,    // it ends the network in float, which is no obstacle
};

struct Finding {
  Verdict verdict = Verdict::unsupported;
  std::string op;  // both empty when the reason names the place itself
  std::string name;
  std::string reason;
  halftone::Remedy remedy = halftone::Remedy::none;
};

struct Checked {
  std::vector<Finding> findings;
  std::size_t nodes = 0;   // of the float network, simplified; 0 when it was not read
  bool quantized = false;  // already
  bool complete = true;    // more may come to light once these are gone

  std::size_t count(Verdict verdict) const;
  bool integers_alone() const { return count(Verdict::unsupported) + count(Verdict::floating) == 0; }
};

// A node of a file whose operator is not read; `domain` is empty for ONNX's own.
Finding unread(const std::string& domain, const std::string& op, const std::string& name);

// Keeps a refusal as a finding. The check is not complete then.
void add_refusal(Checked& checked, const Error& refusal);

// A float network as loaded. Throws what passes::simplify throws.
Checked check_float(const ir::Graph& model);

// A quantized network, and its integers.
Checked check_quantized(const ir::Graph& model, const qgraph::QuantizedGraph& integers);

}  // namespace halftone::analysis
