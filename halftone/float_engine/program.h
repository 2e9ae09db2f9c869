// A network for one set of input shapes: oneDNN primitives and plain ops in order, and where every tensor
// lies.
#pragma once

#include <mutex>
#include <unordered_map>
#include <variant>
#include <vector>

#include "halftone/float_engine/layout.h"
#include "halftone/ir/executor.h"
#include "halftone/ir/graph.h"

namespace halftone::float_engine {

using SlotId = std::int32_t;
using BufferId = std::int32_t;

// Bytes of the arena, which steps at other times use as well.
struct ArenaBuffer {
  std::size_t bytes = 0;
  std::size_t offset = 0;
  std::size_t first = 0;  // the first and the last step that touch it
  std::size_t last = 0;
};
// The bytes of a value's Tensor, once it has one.
struct TensorBuffer {
  ir::ValueId value = ir::kNoValue;
};
// Weights in the layout in which they are read.
struct ConstantBuffer {
  dnnl::memory memory;
};
using Buffer = std::variant<ArenaBuffer, TensorBuffer, ConstantBuffer>;

// A buffer read in some layout.
struct Slot {
  Desc desc;
  BufferId buffer = 0;
};

struct Execute {
  dnnl::primitive primitive;
  std::vector<std::pair<int, SlotId>> arguments;  // DNNL_ARG_...
};
// ir::evaluate_op on the node's inputs, which are Tensors or constants.
struct Evaluate {
  std::size_t node = 0;
};
// Gives a value a Tensor, to be written.
struct Allocate {
  ir::ValueId value = ir::kNoValue;
};
// Calls the visitor with a value's Tensor.
struct Show {
  ir::ValueId value = ir::kNoValue;
};
// Shows the elements of an output: of a slot without padding, or of a Tensor.
struct WatchSlot {
  std::size_t output = 0;
  SlotId slot = 0;
  std::size_t elements = 0;
  Shape shape;
  std::int64_t channel_block = 1;
};
struct WatchTensor {
  std::size_t output = 0;
  ir::ValueId value = ir::kNoValue;
};
// A value's Tensor is not read again.
struct Release {
  ir::ValueId value = ir::kNoValue;
};
using Step = std::variant<Execute, Evaluate, Allocate, Show, WatchSlot, WatchTensor, Release>;

// Memory that one run writes to; runs at the same time have their own.
class Workspace;

class Program {
 public:
  // `graph` has static shapes where they are known. Places the arena's buffers.
  Program(ir::Graph graph, std::vector<Buffer> buffers, std::vector<Slot> slots, std::vector<Step> steps);
  ~Program();

  // `inputs` have the shapes that the program was compiled for. Thread-safe. A program that watches its outputs returns
  // none of them.
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor& visit, const ir::Watch& watch = {}) const;

  std::size_t arena_bytes() const { return arena_bytes_; }
  const std::vector<Step>& steps() const { return steps_; }

 private:
  friend class Workspace;
  void run_in(Workspace& workspace, std::span<const Tensor> inputs, const ir::Visitor& visit,
              const ir::Watch& watch) const;
  std::vector<Tensor> outputs_of(const Workspace& workspace) const;

  ir::Graph graph_;
  std::vector<Buffer> buffers_;
  std::vector<Slot> slots_;
  std::vector<Step> steps_;
  std::size_t arena_bytes_ = 0;
  std::vector<std::vector<SlotId>> tensor_slots_;  // by value: those that read its Tensor
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace halftone::float_engine
