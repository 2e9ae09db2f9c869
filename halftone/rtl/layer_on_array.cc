#include "halftone/rtl/layer_on_array.h"

#include <algorithm>

namespace halftone::rtl {

LayerOnArray::LayerOnArray(const qgraph::QuantizedGraph& graph, const std::string& layer, const ArrayGeometry& wanted, std::int64_t rows, const std::filesystem::path& kept)
    : interpreter_(graph),
      layer_(interpreter_.graph(), layer),
      input_(interpreter_.graph().value(layer_.node().inputs[0]).name),
      output_(interpreter_.graph().value(layer_.node().output()).name),
      rows_(rows),
      geometry_(layer_.geometry(wanted, rows)),
      simulation_(std::make_unique<Simulation>(top_of(geometry_), kept)) {}

std::vector<std::int32_t> LayerOnArray::on_array(Product part) const {
  const ProductShape shape = part.shape;
  const std::vector<std::int32_t> a = std::move(part.a);
  std::vector<std::int32_t> results;
  for (std::int64_t first = 0; first < shape.rows; first += rows_) {
    part.shape.rows = std::min(rows_, shape.rows - first);
    const auto from = a.begin() + static_cast<std::ptrdiff_t>(first * shape.depth);
    part.a.assign(from, from + static_cast<std::ptrdiff_t>(part.shape.rows * shape.depth));
    const Outcome outcome = simulation_->run(job_of(geometry_, part));
    const std::vector<std::int32_t> rows = results_of(geometry_, part, outcome.out);
    results.insert(results.end(), rows.begin(), rows.end());
    counts_.cycles += static_cast<std::int64_t>(outcome.cycles);
    ++counts_.products;
  }
  return results;
}

std::vector<Tensor> LayerOnArray::run(std::span<const Tensor> inputs, const ir::Visitor& visit) const {
  Tensor x;
  return interpreter_.run(inputs, [&](std::string_view name, Tensor& value) {
    if (name == input_) x = value;
    if (name == output_) {
      Tensor y = layer_.output(on_array(layer_.product(x)), value);
      const std::vector<std::int32_t> hardware = numeric::to_int32(y), software = numeric::to_int32(value);
      counts_.outputs += hardware.size();
      for (std::size_t i = 0; i < hardware.size(); ++i) counts_.different += hardware[i] != software[i];
      value = std::move(y);
    }
    if (visit) visit(name, value);
  });
}

}  // namespace halftone::rtl
