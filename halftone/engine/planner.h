// From a network in integers to the steps of a program.
#pragma once

#include "halftone/engine/program.h"

namespace halftone::engine {

class Planner {
 public:
  Planner(const qgraph::QuantizedGraph& graph, const Options& options, Program& program);
  void plan();

 private:
  void add_inputs();
  void choose_layouts();
  // A Conv's padding is a border of its input where kernels take the layer.
  void add_border(const qgraph::Conv& op, Layout& x) const;
  void add_node(const qgraph::Node& node);
  Work work_of(const qgraph::Node& node, const std::vector<SlotPointer>& x, const std::vector<SlotPointer>& y);
  // The value row-major: itself, or a copy.
  SlotPointer row_major(qgraph::ValueId id);
  void append(std::string name, std::vector<SlotPointer> reads, std::vector<SlotPointer> writes, Work work, bool shows = true);
  std::shared_ptr<Slot> make_slot(Layout layout);
  void place_values();

  const qgraph::QuantizedGraph& graph_;
  const Options& options_;
  Program& program_;
  std::vector<Shape> shapes_;    // of one unit's sample
  std::vector<Layout> layouts_;  // by value
  std::vector<std::shared_ptr<Slot>> slots_;  // by value
  std::vector<SlotPointer> row_major_;        // by value: its copy
  std::vector<std::shared_ptr<Slot>> all_;
};

}  // namespace halftone::engine
