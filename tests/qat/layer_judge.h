// Compares training with the integers, layer by layer: each value that FakeQuantized gives, computed from exactly the integers' inputs, is
// the integers' own, but where a tie lies within what float32 may be wrong by.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/ptq/ptq.h"

namespace halftone::qat {

struct LayerCounts {
  std::int64_t values = 0;
  std::int64_t elements = 0;
  std::int64_t near = 0;                 // within their bound of a tie
  std::int64_t different = 0;            // and a step apart
  std::vector<std::string> fused;        // values computed within the integer node of another
  std::vector<std::string> stays_float;  // values that no integers stand for
  std::vector<std::string> faults;       // in words: differences that no tie explains, and layers that were not compared
};

// The network as `halftone finetune --bits BITS` begins with it, its ranges chosen on the rows.
ptq::Result quantized_for_finetuning(const ir::Graph& model, const std::string& bits, const Tensor& rows);

// Runs both on the rows; training begins at `seen`, the integers at `made`, which are alike but in a test of the test.
LayerCounts compare_layers(const ptq::Result& made, const quant::Parameters& seen, const Tensor& rows);

// Both, prints the counts under `name`, and returns them.
LayerCounts compare_layers(const std::string& name, const std::string& bits, const ir::Graph& model, const Tensor& rows);

// uint8 pixels of noise.
Tensor noise(Shape shape);

}  // namespace halftone::qat
