// A network in integers on the engine, as everything else runs networks: tensors in, tensors out.
#pragma once

#include <map>
#include <mutex>

#include "halftone/engine/program.h"

namespace halftone::engine {

// Plans one program where samples run one by one; else, and for values that a visitor sees, one for each batch size that it
// meets, of which it keeps a few. Contexts of runs that are over are kept for the next ones. Values are shown to a visitor as the
// interpreter shows them; one that is changed is not taken back.
class Executor : public ir::Executor {
 public:
  // `batch` and `keep_values` of the options are the executor's own matter. Throws as Program does.
  explicit Executor(qgraph::QuantizedGraph graph, Options options = {});
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor& visit = {}) const override;

 private:
  // A program and the contexts that nobody uses.
  struct Planned {
    Program program;
    std::mutex mutex;
    std::vector<std::unique_ptr<Program::Context>> idle;

    Planned(const qgraph::QuantizedGraph& graph, const Options& options) : program(graph, options) {}
    std::unique_ptr<Program::Context> take();
    void give_back(std::unique_ptr<Program::Context> context);
  };

  std::int64_t batch_of(std::span<const Tensor> inputs) const;
  std::shared_ptr<Planned> program_for(std::int64_t batch, bool keep_values) const;

  qgraph::QuantizedGraph graph_;
  Options options_;
  bool separable_ = false;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::int64_t, bool>, std::shared_ptr<Planned>> programs_;
};

}  // namespace halftone::engine
