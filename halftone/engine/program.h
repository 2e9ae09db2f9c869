// A network in integers, planned for a CPU: what runs in which order, where each value stands, and how. Every byte equals
// qgraph::Interpreter's.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "halftone/engine/pool.h"
#include "halftone/engine/steps.h"
#include "halftone/kernels/isa.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::engine {

struct Options {
  std::int64_t batch = 1;  // samples that one run takes at most; exactly so many where samples cannot run one by one
  kernels::Isa isa = kernels::best_isa();
  bool keep_values = false;       // of every node, so that a visitor sees them
  double least_part = 2000.0;     // nanoseconds of work for which another thread is called; 0: always
  MakeExecutor make_executor = {};  // for islands; needed where there are some
};

// Called behind every step with its name: one a node, and others that bring its values to another layout. Samples that run one by
// one take the steps one after another again.
using AfterStep = std::function<void(std::string_view step)>;

// Immutable: many threads may run one program, each with a context of its own.
class Program {
 public:
  // Throws InputError for a graph that check() refuses, and UnsupportedError for an island without make_executor, or an
  // instruction set that this CPU has not.
  Program(const qgraph::QuantizedGraph& graph, const Options& options);

  // The memory of one run at a time, and the threads that share it: its samples, or, where these are too few, rows and channels of each.
  class Context {
   public:
    // Throws UsageError for fewer than one thread.
    explicit Context(const Program& program, int threads = 1);
    // As it was asked for; the system may have given fewer.
    int threads() const { return threads_; }

   private:
    friend class Program;
    // The memory of one thread.
    struct Own {
      std::vector<std::byte> block;
      std::byte* arena = nullptr;
      std::vector<const std::byte*> inputs;
    };
    int threads_ = 1;
    std::unique_ptr<Pool> pool_;  // none: one thread
    std::vector<Own> own_;        // of each thread that runs samples
  };

  struct Port {
    std::string name;
    DType dtype = DType::float32;
    Shape sample;  // shape of one sample: its first dimension times the samples is that of the tensor
    std::size_t bytes() const { return static_cast<std::size_t>(element_count(sample)) * size_of(dtype); }
  };
  const std::vector<Port>& inputs() const { return inputs_; }
  const std::vector<Port>& outputs() const { return outputs_; }
  std::int64_t batch() const { return batch_; }
  // Whether fewer samples than batch() may run, and samples run one by one.
  bool is_separable() const { return separable_; }
  std::size_t arena_bytes() const { return arena_bytes_; }
  std::size_t steps() const { return steps_.size(); }

  // Each span holds the elements of `samples` samples, row-major. Throws InputError for other counts and sizes, and for NaN.
  void run(Context& context, std::int64_t samples, std::span<const std::span<const std::byte>> inputs,
           std::span<const std::span<std::byte>> outputs) const;
  // The same, each value shown to `visit` once it is known. Only with keep_values, and all samples in one unit.
  void run(Context& context, std::int64_t samples, std::span<const std::span<const std::byte>> inputs,
           std::span<const std::span<std::byte>> outputs, const ir::Visitor& visit) const;
  // The same, to find out how long each step takes: threads share steps, not samples.
  void run_by_step(Context& context, std::int64_t samples, std::span<const std::span<const std::byte>> inputs,
                   std::span<const std::span<std::byte>> outputs, const AfterStep& after) const;

 private:
  friend class Planner;

  void check_spans(std::int64_t samples, std::span<const std::span<const std::byte>> inputs,
                   std::span<const std::span<std::byte>> outputs) const;
  using Inputs = std::span<const std::span<const std::byte>>;
  using Outputs = std::span<const std::span<std::byte>>;
  // Samples [first, first + count) in the memory of `own`; `pool` shares what they take.
  void run_unit(Context::Own& own, Pool* pool, std::int64_t first, std::int64_t count, Inputs inputs, Outputs outputs, const ir::Visitor& visit,
                const AfterStep& after) const;
  // Samples that a thread takes at a time, 0 where threads share each sample.
  std::int64_t samples_a_thread(const Context& context, std::int64_t samples) const;
  void show(const Slot& value, const Memory& memory, const ir::Visitor& visit) const;

  std::int64_t batch_ = 1;
  std::int64_t unit_ = 1;  // samples that run together
  bool separable_ = false;
  double least_part_ = 0.0;
  double sample_time_ = 0.0;  // nanoseconds, about
  std::size_t arena_bytes_ = 0;
  std::vector<Port> inputs_;
  std::vector<Port> outputs_;
  std::vector<Step> steps_;
  std::vector<SlotPointer> input_slots_;
  std::vector<SlotPointer> output_slots_;
  std::vector<std::vector<std::int64_t>> output_places_;
};

}  // namespace halftone::engine
