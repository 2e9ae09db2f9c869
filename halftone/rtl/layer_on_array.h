// A network of which one layer is hardware and the rest software.
#pragma once

#include <memory>
#include <string>

#include "halftone/ir/executor.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/rtl/layer.h"
#include "halftone/rtl/simulation.h"

namespace halftone::rtl {

// The layer's outputs come from the simulation, and are what the nodes behind it read; each is compared with the interpreter's.
class LayerOnArray : public ir::Executor {
 public:
  // `rows` of a product at most; larger inputs take several. Throws as LayerProduct and Simulation do.
  LayerOnArray(const qgraph::QuantizedGraph& graph, const std::string& layer, const ArrayGeometry& wanted, std::int64_t rows, const std::filesystem::path& kept);

  // One run at a time.
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor& visit = {}) const override;

  struct Counts {
    std::uint64_t outputs = 0;  // compared
    std::uint64_t different = 0;
    std::int64_t products = 0;
    std::int64_t cycles = 0;  // of all products
  };
  const Counts& counts() const { return counts_; }
  const ArrayGeometry& geometry() const { return geometry_; }
  const LayerProduct& layer() const { return layer_; }

 private:
  std::vector<std::int32_t> on_array(Product part) const;

  qgraph::Interpreter interpreter_;
  LayerProduct layer_;
  std::string input_, output_;  // names of the layer's values
  std::int64_t rows_;
  ArrayGeometry geometry_;
  std::unique_ptr<Simulation> simulation_;
  mutable Counts counts_;
};

}  // namespace halftone::rtl
