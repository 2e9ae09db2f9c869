#include "cli/data_options.h"

#include <fmt/format.h>

#include <iostream>

#include "halftone/base/parallel_for.h"

namespace halftone::cli {

void DataOptions::add_to(CLI::App& command, data::Part default_part, const std::string& samples_text) {
  command
      .add_option(
          "--data", data,
          fmt::format(
              "digits (built in), mnist, fashion-mnist, cifar10, a directory or an .npz with x and y; "
              "add :train or :test to choose a part (otherwise {})",
              data::name_of(default_part)))
      ->required();
  command.add_option("--samples", samples, samples_text)->check(CLI::PositiveNumber);
  command.add_option("--preset", preset,
                     "How pixels become numbers: raw, mnist, cifar10, imagenet or tf (otherwise the model's "
                     "own, or the data set's usual one)");
  command.add_option("--threads", threads, "Threads to use (otherwise all cores)")
      ->check(CLI::Range(1, 1024));
}

data::Dataset DataOptions::load(data::Part default_part) const {
  data::Dataset dataset = data::load(data, default_part);
  return samples > 0 ? data::sample(dataset, samples) : dataset;
}

int DataOptions::thread_count() const { return threads > 0 ? threads : available_threads(); }

void with_progress(const DataOptions& data, std::int64_t batch_size, const std::string& title,
                   const std::function<void(const analysis::BatchOptions&)>& work) {
  report::Progress progress(std::cerr, report::stderr_options());
  work({.batch_size = batch_size, .threads = data.thread_count(), .progress = [&](double done) {
          progress.update(done, title);
        }});
}

}  // namespace halftone::cli
