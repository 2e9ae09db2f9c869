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
  // Values that a Concat joins along channels stand in its result from the start, where a Conv makes them and nothing else reads them.
  void join_channels();
  SlotPointer slot_for(qgraph::ValueId id);
  // Whether a node gives the elements of its input another shape, and no other place.
  bool stays_in_place(const qgraph::Node& node) const;
  // The value in the memory of `x`.
  SlotPointer alias(qgraph::ValueId id, const SlotPointer& x);
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
  struct Joined {
    qgraph::ValueId in = -1;  // -1: in none
    std::int64_t first_channel = 0;
  };
  std::vector<Joined> joined_;                  // by value
  std::vector<std::shared_ptr<Slot>> parts_;    // slots that stand in others
  std::vector<SlotPointer> row_major_;        // by value: its copy
  std::vector<std::shared_ptr<Slot>> all_;
};

}  // namespace halftone::engine
