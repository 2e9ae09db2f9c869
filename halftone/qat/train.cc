#include "halftone/qat/train.h"

#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/qat/augment.h"
#include "halftone/qat/epoch_loop.h"
#include "halftone/qat/torch_threads.h"
#include "halftone/qat/trainable.h"

namespace halftone::qat {
namespace {

void check_task(const TrainTask& task, const ir::Graph& logits, const TrainOptions& options) {
  check(options);
  check_rows(logits, task.examples, /*needs_labels=*/true);
  for (const Examples* judged : {&task.held_out, &task.test})
    if (judged->images.size() > 0) check_rows(logits, *judged, /*needs_labels=*/true);
  expect_augmentable(options.augmentation, task.examples.images);
}

}  // namespace

Trained train(const TrainTask& task, const TrainOptions& options, const Hooks& hooks, const std::function<void(const ir::Graph&)>& best) {
  const ir::Graph logits = logits_graph(task.graph);
  check_task(task, logits, options);
  make_deterministic(options.threads, options.seed);
  Learner learner({.logits = logits, .examples = task.examples, .ranks = task.ranks}, options, {}, steps_of(task.examples.images.dim(0), options));
  const auto graph_now = [&] {
    ir::Graph trained = task.graph;
    for (const NamedTensor& each : learner.trained()) trained.value(*trained.find(each.name)).constant = from_torch(each.tensor);
    return trained;
  };
  const Judged judged{Rows(task.held_out), Rows(task.test)};
  std::vector<EpochReport> reports = run_epochs(learner, judged, options, hooks, [&] {
    if (best) best(graph_now());
  });
  return {graph_now(), std::move(reports)};
}

}  // namespace halftone::qat
