// Which of the arrays given as reference outputs belongs to which output of a network.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "halftone/data/npz.h"

namespace halftone::analysis {

// Which of the network's outputs is compared with what.
struct Reference {
  std::size_t output = 0;
  std::string name;
  Tensor rows;  // one a sample
};

struct NamedOutputs {
  std::string network;             // in messages
  std::vector<std::string> names;  // in the network's order
};

// The place of an output; the first for an empty name. Throws UsageError naming `where` and listing the names.
std::size_t output_index(const NamedOutputs& outputs, const std::string& name, std::string_view where);

// The part of the reference that is compared.
struct ReferencePart {
  std::string output;        // that one alone; empty: all
  std::int64_t samples = 0;  // of arrays with a row for each of `total` samples, the rows of so many of them
  std::int64_t total = 0;
};

// Arrays belong to outputs by name, or in order when no name is alike and there are as many; a single one without a name
// belongs to the output that is asked for. Throws InputError naming `where` when none belongs to any.
std::vector<Reference> match_reference(const data::NamedTensors& arrays, const NamedOutputs& outputs,
                                       const ReferencePart& part, std::string_view where);

}  // namespace halftone::analysis
