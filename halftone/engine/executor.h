// A network in integers on the engine, as everything else runs networks: tensors in, tensors out.
#pragma once

#include <map>
#include <mutex>

#include "halftone/engine/program.h"

namespace halftone::engine {

struct ExecutorOptions {
  kernels::Isa isa = kernels::best_isa();
  int threads = 1;                  // over the samples of a batch, where they run one by one
  MakeExecutor make_executor = {};  // for islands
};

// Plans one program where samples run one by one; else, and for values that a visitor sees, one for each batch size that it
// meets, of which it keeps a few. Values are shown to a visitor as the interpreter
// shows them; one that is changed is not taken back.
class Executor : public ir::Executor {
 public:
  // Throws as Program does.
  explicit Executor(qgraph::QuantizedGraph graph, ExecutorOptions options = {});
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor& visit = {}) const override;

 private:
  std::int64_t batch_of(std::span<const Tensor> inputs) const;
  std::shared_ptr<const Program> program_for(std::int64_t batch, bool keep_values) const;

  qgraph::QuantizedGraph graph_;
  ExecutorOptions options_;
  bool separable_ = false;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::int64_t, bool>, std::shared_ptr<const Program>> programs_;
};

}  // namespace halftone::engine
