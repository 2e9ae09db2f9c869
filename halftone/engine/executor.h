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
  // `batch` and `keep_values` of the options are the executor's own matter. Throws as Program and its Context do.
  explicit Executor(qgraph::QuantizedGraph graph, Options options = {}, int threads = 1);
  // One with so many threads and the same programs: weights are packed once.
  std::unique_ptr<Executor> with_threads(int threads) const;
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor& visit = {}) const override;

 private:
  // A program and the contexts that nobody uses.
  struct Planned {
    Program program;
    std::mutex mutex;
    std::vector<std::unique_ptr<Program::Context>> idle;

    Planned(const qgraph::QuantizedGraph& graph, const Options& options) : program(graph, options) {}
    std::unique_ptr<Program::Context> take(int threads);
    void give_back(std::unique_ptr<Program::Context> context);
  };
  struct Plans {
    qgraph::QuantizedGraph graph;
    Options options;
    bool separable = false;
    std::mutex mutex;
    std::map<std::pair<std::int64_t, bool>, std::shared_ptr<Planned>> programs;

    std::shared_ptr<Planned> program_for(std::int64_t batch, bool keep_values);
  };

  Executor(std::shared_ptr<Plans> plans, int threads) : plans_(std::move(plans)), threads_(threads) {}
  std::int64_t batch_of(std::span<const Tensor> inputs) const;

  std::shared_ptr<Plans> plans_;
  int threads_ = 1;
};

}  // namespace halftone::engine
