#include "cli/data_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "halftone/base/error.h"
#include "halftone/base/parallel_for.h"
#include "halftone/data/image_set.h"

namespace halftone::cli {
namespace {

constexpr std::int64_t kMostRows = 64;
constexpr std::int64_t kMostElements = std::int64_t{1} << 18;  // of more, the pages cost more than the work

std::int64_t rows_of_a_batch(const analysis::Samples& samples) {
  std::int64_t row = 0;
  for (const analysis::SampledInput& input : samples.inputs)
    row += product(input.rows.shape(), 1, input.rows.rank());
  return std::clamp<std::int64_t>(kMostElements / std::max<std::int64_t>(row, 1), 1, kMostRows);
}

std::vector<Tensor> arrays_for(const DataSource& source, const ModelFile& model) {
  const std::vector<std::string> names = model.input_names();
  if (source.arrays) return data::inputs_from(*source.arrays, names);
  if (names.size() > 1)
    throw InputError(source.name,
                     fmt::format("holds images alone, expected an .npz with an array for each input: {}",
                                 fmt::join(names, ", ")));
  return {source.dataset->images};
}

data::Labels labels_of(const DataSource& source, const ModelFile& model) {
  if (source.arrays) return data::labels_from(*source.arrays, model.input_names());
  return {source.dataset->labels, source.dataset->classes};
}

}  // namespace

std::int64_t DataSource::rows(const ModelFile& model) const { return arrays_for(*this, model).at(0).dim(0); }

DataSource open_data(const std::string& spec, data::Part default_part) {
  if (!data::is_array_file(spec)) {
    data::Dataset dataset = data::load(spec, default_part);
    return {.name = dataset.name, .dataset = std::move(dataset)};
  }
  data::ArraySet arrays = data::read_array_set(spec, default_part);
  return {.name = std::filesystem::path(arrays.where).stem().string(), .arrays = std::move(arrays)};
}

analysis::Samples samples_from(const DataSource& source, const ModelFile& model, bool with_labels) {
  analysis::Samples samples = analysis::samples_for(model.graph, arrays_for(source, model));
  samples.name = source.name;
  if (samples.size() == 0) throw InputError(source.name, "no samples");
  if (!with_labels) return samples;
  data::Labels labels = labels_of(source, model);
  const auto rows = static_cast<std::size_t>(samples.size());
  if (!labels.values.empty() && labels.values.size() != rows)
    throw InputError(source.name, fmt::format("number of labels, got {}, expected {} (one a row)",
                                              labels.values.size(), rows));
  samples.labels = std::move(labels.values);
  samples.classes = labels.classes;
  return samples;
}

void DataOptions::add_to(CLI::App& command, data::Part default_part, const std::string& samples_text) {
  CLI::App* source = command.add_option_group("Samples");
  source->add_option(
      "--data", data,
      fmt::format(
          "digits (built in), mnist, fashion-mnist, cifar10, a directory, an .npz with an array for each "
          "input (or x) and labels y, or an .npy for the only input; rows are samples; add :train or :test "
          "to choose a part (otherwise {})",
          data::name_of(default_part)));
  source->add_option("--images", images,
                     "A folder of PNG and JPEG pictures: those of --labels, or a folder a class");
  source->require_option(may_be_missing ? 0 : 1, 1);
  command.add_option("--labels", labels, "A text file with \"file label\" a line, for --images");
  command.add_option("--label-offset", label_offset,
                     "Added to every label of --images, for networks with a class more");
  command
      .add_option(
          "--resize", resize,
          "Short side of --images before the centre is cut out (otherwise 8/7 of what the network takes)")
      ->check(CLI::Range(1, 1 << 16));
  command
      .add_option("--crop", crop, "on, or off: the whole of --images is brought to what the network takes")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  command.add_option(samples_name, samples, samples_text)->check(CLI::Range(1, 1 << 30));
  preprocessing.add_to(command);
  command.add_option("--threads", threads, "Threads to use (otherwise all cores)")
      ->check(CLI::Range(1, 1024));
}

void DataOptions::expect_no_image_options() const {
  if (resize > 0 || crop != "on" || !labels.empty() || label_offset != 0)
    throw UsageError("--labels, --label-offset, --resize, --crop", "are for --images");
}

DataSource DataOptions::open(data::Part default_part, const ModelFile& model) const {
  if (images.empty()) {
    expect_no_image_options();
    return open_data(data, default_part);
  }
  const Shape& input = model.input_shape();
  if (input.size() != 4 || input[1] != 3 || input[2] < 1 || input[3] < 1)
    throw InputError("--images",
                     fmt::format("input of shape {}, expected Nx3xHxW for pictures", to_string(input)));
  data::Dataset dataset = data::read_image_set({.images = images,
                                                .labels = labels,
                                                .height = input[2],
                                                .width = input[3],
                                                .resize = resize,
                                                .crop = crop == "on",
                                                .label_offset = label_offset,
                                                .sample = samples,
                                                .threads = thread_count()});
  return {.name = dataset.name, .dataset = std::move(dataset)};
}

analysis::Samples DataOptions::take(const DataSource& source, const ModelFile& model,
                                    bool with_labels) const {
  analysis::Samples result = samples_from(source, model, with_labels);
  if (!images.empty() && !preprocessing.given() && !model.preprocessing)
    throw UsageError("--preset", fmt::format("'{}' does not say how pictures are prepared, expected a preset",
                                             model.path));
  result.preprocessing = preprocessing.choose(model, source.name);
  if (preprocessing.given() && !result.has_pixels() && result.preprocessing != data::preset("raw"))
    throw UsageError("--preset", fmt::format("'{}' holds no pixels (uint8) for a float input of '{}'",
                                             source.name, model.path));
  return samples > 0 ? analysis::sample(std::move(result), samples) : result;
}

int DataOptions::thread_count() const { return threads > 0 ? threads : available_threads(); }

void with_progress(const DataOptions& data, const analysis::Samples& samples, const std::string& title,
                   const std::function<void(const analysis::BatchOptions&)>& work) {
  report::Progress progress(std::cerr, report::stderr_options());
  work({.batch_size = samples.fixed_batch.value_or(rows_of_a_batch(samples)),
        .fixed_batch = samples.fixed_batch.has_value(),
        .threads = data.thread_count(),
        .progress = [&](double done) { progress.update(done, title); }});
}

}  // namespace halftone::cli
