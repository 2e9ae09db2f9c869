#include "halftone/qat/epoch_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <random>
#include <sstream>

#include "halftone/base/error.h"
#include "halftone/qat/checkpoint.h"
#include "halftone/qat/row_order.h"

namespace halftone::qat {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The factor of rates at step `done` among `steps`.
double factor_of(const TrainOptions& options, double done, double steps, double batches) {
  const double warm = options.warmup_epochs * batches;
  const double rise = done < warm ? (done + 1.0) / warm : 1.0;
  switch (options.schedule) {
    case Schedule::cosine:
      return rise * (1.0 + std::cos(std::numbers::pi * done / steps)) / 2.0;
    case Schedule::stairs:
      return rise * (done < steps / 2 ? 1.0 : done < steps * 3 / 4 ? 0.1 : 0.01);
    case Schedule::constant:
      return rise;
  }
  return rise;
}

std::string text_of(const std::mt19937_64& random) {
  std::ostringstream text;
  text << random;
  return text.str();
}

class Loop {
 public:
  Loop(Learner& learner, const Judged& judged, const TrainOptions& options, const Hooks& hooks, const std::function<void()>& best)
      : learner_(learner), judged_(judged), options_(options), hooks_(hooks), best_(best), random_(options.seed), count_(learner.rows()),
        batch_size_(std::min(options.batch_size, count_)), batches_((count_ + batch_size_ - 1) / batch_size_) {
    place_.random = text_of(random_);
  }

  std::vector<EpochReport> run() {
    if (hooks_.keeping && hooks_.keeping->resumes) resume();
    for (; place_.epoch <= options_.epochs && !is_over(); ++place_.epoch) one_epoch();
    if (options_.patience > 0)
      learner_.take_best();
    else
      learner_.exchange_averages();
    return place_.reports;
  }

 private:
  int epoch_of_all() const { return hooks_.epochs_before + place_.epoch; }
  bool is_over() const { return options_.patience > 0 && place_.since_best >= options_.patience; }

  void resume() {
    std::error_code none;
    const std::filesystem::path& file = hooks_.keeping->file;
    torch::Tensor is_there = torch::full({1}, std::filesystem::exists(file, none) ? 1.0F : 0.0F);
    learner_.ranks().broadcast(is_there);
    if (is_there.item<float>() == 0.0F) return;
    place_ = load_checkpoint(file, hooks_.keeping->identity, {.epochs = options_.epochs, .batches = batches_, .rows = count_}, learner_.tensors());
    std::istringstream(place_.random) >> random_;
    learner_.set_count((place_.epoch - 1) * batches_ + place_.batch);
    before_ = place_.seconds;
    if (hooks_.resumed) hooks_.resumed(place_.reports);
  }

  void one_epoch() {
    std::istringstream(place_.random) >> random_;
    const torch::Tensor rows = torch::tensor(random_row_order(count_, random_), at::kLong);
    for (; place_.batch < batches_; ++place_.batch) {
      if (const BatchResult result = learner_.step_on(batch_of(rows)); result.stop) stop_after(result);
      else count(result);
    }
    end_epoch();
  }

  Learner::Batch batch_of(const torch::Tensor& rows) const {
    const std::int64_t first = place_.batch * batch_size_;
    const std::int64_t total = std::min(batch_size_, count_ - first);
    const std::int64_t rank = learner_.ranks().rank();
    const std::int64_t size = learner_.ranks().size();
    const std::int64_t done = (place_.epoch - 1) * batches_ + place_.batch;
    const std::int64_t from = first + total * rank / size;
    const std::int64_t own = total * (rank + 1) / size - total * rank / size;
    return {.rows = own > 0 ? rows.slice(0, from, from + own) : rows.slice(0, first, first + 1),
            .own = own,
            .total = total,
            .factor = factor_of(options_, static_cast<double>(done), static_cast<double>(options_.epochs * batches_), static_cast<double>(batches_)),
            .epoch = place_.epoch,
            .step = done,
            .stop = hooks_.stop && hooks_.stop()};
  }

  void add(const BatchResult& result) {
    const std::int64_t first = place_.batch * batch_size_;
    place_.loss += result.loss * static_cast<double>(std::min(batch_size_, count_ - first));
    place_.right += result.right;
    if (!std::isfinite(place_.loss))
      throw UsageError("train", fmt::format("the loss of epoch {}, step {} is not finite, got a learning rate of {}, expected a lower one (or smaller pixels)", epoch_of_all(),
                                            place_.batch + 1, options_.learning_rate));
  }

  void count(const BatchResult& result) {
    add(result);
    if (place_.batch + 1 < batches_) tell(/*ended=*/false, report());
    if (hooks_.keeping && seconds_since(kept_) >= hooks_.keeping->seconds) {
      Place next = place_;
      ++next.batch;
      keep(next);
    }
  }

  [[noreturn]] void stop_after(const BatchResult& result) {
    add(result);
    ++place_.batch;
    if (hooks_.keeping) keep(place_);
    throw Stopped{epoch_of_all(), hooks_.keeping.has_value()};
  }

  EpochReport report() const {
    const auto seen = static_cast<double>(std::min((place_.batch + 1) * batch_size_, count_));
    return {.epoch = place_.epoch, .epochs = options_.epochs, .loss = place_.loss / seen, .accuracy = static_cast<double>(place_.right) / seen, .seconds = before_ + seconds_since(start_)};
  }

  void tell(bool ended, const EpochReport& report) const {
    if (!hooks_.progress) return;
    const auto done = static_cast<double>((place_.epoch - 1) * batches_ + std::min(place_.batch + 1, batches_));
    hooks_.progress({.report = report, .fraction = done / static_cast<double>(options_.epochs * batches_), .epoch_ended = ended});
  }

  void end_epoch() {
    learner_.expect_sound();
    EpochReport ended = report();
    learner_.exchange_averages();
    if (judged_.held_out.count() > 0) {
      const Judgement seen = learner_.judge(judged_.held_out);
      ended.held_out = seen.accuracy;
      ended.held_out_loss = seen.loss;
    }
    if (judged_.test.count() > 0) {
      ended.test = learner_.judge(judged_.test).accuracy;
      ended.first_test = learner_.judge(judged_.test, 100).accuracy;
    }
    const double score = ended.held_out.value_or(ended.accuracy);
    ++place_.since_best;
    if (score > place_.best) {
      place_.best = score;
      place_.since_best = 0;
      learner_.keep_as_best();
      if (best_) best_();
    }
    learner_.exchange_averages();
    place_.reports.push_back(ended);
    tell(/*ended=*/true, ended);
    place_.random = text_of(random_);
    place_.batch = 0;
    place_.loss = 0;
    place_.right = 0;
    if (!hooks_.keeping) return;
    Place next = place_;
    ++next.epoch;
    keep(next);
  }

  // Rank 0 alone writes: what the ranks know is the same.
  void keep(const Place& place) {
    learner_.expect_sound();
    kept_ = Clock::now();
    if (!learner_.ranks().is_first()) return;
    Place now = place;
    now.seconds = before_ + seconds_since(start_);
    save_checkpoint(hooks_.keeping->file, hooks_.keeping->identity, now, learner_.tensors());
  }

  Learner& learner_;
  const Judged& judged_;
  const TrainOptions& options_;
  const Hooks& hooks_;
  const std::function<void()>& best_;
  std::mt19937_64 random_;
  std::int64_t count_;
  std::int64_t batch_size_;
  std::int64_t batches_;
  Place place_;
  double before_ = 0;  // seconds of what is resumed
  Clock::time_point start_ = Clock::now();
  Clock::time_point kept_ = Clock::now();
};

}  // namespace

std::int64_t steps_of(std::int64_t rows, const TrainOptions& options) {
  const std::int64_t batch_size = std::min(options.batch_size, rows);
  return options.epochs * ((rows + batch_size - 1) / batch_size);
}

std::vector<EpochReport> run_epochs(Learner& learner, const Judged& judged, const TrainOptions& options, const Hooks& hooks, const std::function<void()>& best) {
  return Loop(learner, judged, options, hooks, best).run();
}

}  // namespace halftone::qat
