// What batch normalizations say of the values that they give.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::qat {

// What a batch normalization gives its readers on the rows that it was trained on, by channel: mean β and deviation |γ|.
struct Normalized {
  std::vector<float> mean;
  std::vector<float> deviation;
  float momentum = 0.9F;  // of running statistics: what is kept a batch
};

// By the name of the value, of all batch normalizations with constant parameters.
std::map<std::string, Normalized> normalized_values(const ir::Graph& model);

}  // namespace halftone::qat
