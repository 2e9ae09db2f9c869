#include "cli/data_options.h"

#include <fmt/format.h>

#include <iostream>

#include "halftone/base/error.h"
#include "halftone/base/parallel_for.h"
#include "halftone/data/image_set.h"

namespace halftone::cli {

void DataOptions::add_to(CLI::App& command, data::Part default_part, const std::string& samples_text) {
  CLI::App* source = command.add_option_group("Samples");
  source->add_option(
      "--data", data,
      fmt::format("digits (built in), mnist, fashion-mnist, cifar10, a directory or an .npz with x and y; "
                  "add :train or :test to choose a part (otherwise {})",
                  data::name_of(default_part)));
  source->add_option("--images", images,
                     "A folder of PNG and JPEG pictures: those of --labels, or a folder a class");
  source->require_option(1);
  command.add_option("--labels", labels, "A text file with \"file label\" a line, for --images");
  command.add_option("--label-offset", label_offset,
                     "Added to every label of --images, for networks with a class more");
  command.add_option(samples_name, samples, samples_text)->check(CLI::Range(1, 1 << 30));
  command.add_option("--preset", preset,
                     "How pixels become numbers: raw, mnist, cifar10, imagenet or tf (otherwise the model's "
                     "own, or the data set's usual one)");
  command.add_option("--threads", threads, "Threads to use (otherwise all cores)")
      ->check(CLI::Range(1, 1024));
}

data::Dataset DataOptions::load(data::Part default_part, const Shape& input) const {
  if (images.empty()) {
    const data::Dataset dataset = data::load(data, default_part);
    return samples > 0 ? data::sample(dataset, samples) : dataset;
  }
  if (input.size() != 4 || input[1] != 3 || input[2] < 1 || input[3] < 1)
    throw InputError("--images",
                     fmt::format("input of shape {}, expected Nx3xHxW for pictures", to_string(input)));
  return data::read_image_set({.images = images,
                               .labels = labels,
                               .height = input[2],
                               .width = input[3],
                               .label_offset = label_offset,
                               .sample = samples,
                               .threads = thread_count()});
}

data::Preprocessing choose_preprocessing(const ModelFile& model, const DataOptions& options,
                                         const std::string& dataset_name) {
  if (!options.images.empty() && options.preset.empty() && !model.preprocessing)
    throw UsageError("--preset", fmt::format("'{}' does not say how pictures are prepared, expected a preset",
                                             model.path));
  return choose_preprocessing(model, options.preset, dataset_name);
}

int DataOptions::thread_count() const { return threads > 0 ? threads : available_threads(); }

void with_progress(const DataOptions& data, const ModelFile& model, std::int64_t batch_size,
                   const std::string& title, const std::function<void(const analysis::BatchOptions&)>& work) {
  report::Progress progress(std::cerr, report::stderr_options());
  const Shape& input = model.input_shape();
  const bool fixed = !input.empty() && input[0] != kDynamic;
  work({.batch_size = model.batch_size(batch_size),
        .fixed_batch = fixed,
        .threads = data.thread_count(),
        .progress = [&](double done) { progress.update(done, title); }});
}

}  // namespace halftone::cli
