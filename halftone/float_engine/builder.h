// Puts a program together step by step, and knows where every value lies meanwhile.
#pragma once

#include <memory>

#include "halftone/float_engine/constants.h"
#include "halftone/float_engine/program.h"

namespace halftone::float_engine {

class Builder {
 public:
  // `graph` has static shapes where they are known, and outlives the builder.
  Builder(const ir::Graph& graph, Constants& constants);

  const ir::Graph& graph() const { return graph_; }
  const Shape& shape(ir::ValueId value) const { return graph_.value(value).shape; }
  Dims dims(ir::ValueId value) const { return dims_of(shape(value)); }
  // Whether primitives can take it: float32 of a known shape, not empty, of no more dimensions than oneDNN
  // has.
  bool has_slots(ir::ValueId value) const;
  // The layout in which the value lies now.
  Desc layout(ir::ValueId value);

  // Where the value can be read in a layout; it is reordered to there when it does not lie so yet.
  SlotId read(ir::ValueId value, const Desc& wanted);
  // The same for a value under another shape or order of dimensions: `view` describes its row-major elements.
  SlotId read_as(ir::ValueId value, const Desc& view, const Desc& wanted);
  // Where the value lies in this layout, to be overwritten by the next step: a copy unless that is its last
  // reader and reads it through no other slot (`also_read` is what else it reads).
  SlotId overwrite(ir::ValueId value, const Desc& wanted, SlotId also_read);
  // Room for a value that the next step computes. `view` describes the elements under another shape; `own`
  // under the value's own.
  SlotId write(ir::ValueId value, const Desc& own) { return write_as(value, own, own); }
  SlotId write_as(ir::ValueId value, const Desc& view, const Desc& own);
  // `slot`, which the next step overwrites, becomes the value's place.
  void place(ir::ValueId value, SlotId slot);
  // The output is the input's bytes under another shape. False when they lie in no buffer of the arena.
  bool rename(ir::ValueId input, ir::ValueId output);
  void execute(dnnl::primitive primitive, std::vector<std::pair<int, SlotId>> arguments,
               const Desc& scratch = {});

  // A step of the plain loops, with everything it reads as Tensors.
  void evaluate(std::size_t node);
  // Makes the value a Tensor, row-major.
  void materialize(ir::ValueId value);
  // Materializes a value and shows it; from now on it is what the visitor left.
  void show(ir::ValueId value);
  // Watches the value where it lies now, if it is an output, which then has no other reader.
  void watch(ir::ValueId value);
  // One reader of the value is done.
  void done(ir::ValueId value);

  // `outputs`: whether the program returns them.
  std::unique_ptr<Program> finish(bool outputs);

 private:
  struct Place {
    std::vector<SlotId> slots;
    bool has_tensor = false;
    int readers = 0;  // to come
  };
  Place& at(ir::ValueId value) { return places_[static_cast<std::size_t>(value)]; }
  const Slot& slot(SlotId id) const { return slots_[static_cast<std::size_t>(id)]; }
  ArenaBuffer* arena_of(SlotId id);
  SlotId add_slot(const Desc& desc, BufferId buffer);
  SlotId add_arena_slot(const Desc& desc);
  void reorder(SlotId from, SlotId to);
  // Gives the value's Tensor, which the last step made, a slot.
  void add_tensor(ir::ValueId value);
  SlotId first_slot(ir::ValueId value);
  void watch_slot(std::size_t place, ir::ValueId value);
  bool may_overwrite(ir::ValueId value, SlotId slot);

  const ir::Graph& graph_;
  Constants& constants_;
  std::vector<Buffer> buffers_;
  std::vector<std::vector<ir::ValueId>> values_in_;  // by buffer
  std::vector<Slot> slots_;
  std::vector<Step> steps_;
  std::vector<Place> places_;  // by value
};

}  // namespace halftone::float_engine
