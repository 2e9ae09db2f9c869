#include "cli/data_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/base/not_a_number.h"
#include "halftone/base/parallel_for.h"
#include "halftone/calibration/noise.h"
#include "halftone/data/image_set.h"

namespace halftone::cli {
namespace {

constexpr std::string_view kNoise = "random";
constexpr int kMostOffset = 1 << 30;
constexpr std::int64_t kMostRows = 64;
constexpr std::int64_t kMostElements = std::int64_t{1} << 18;  // of more, the pages cost more than the work

std::int64_t rows_of_a_batch(const calibration::Samples& samples) {
  std::int64_t row = 0;
  for (const calibration::SampledInput& input : samples.inputs)
    row += product(input.rows.shape(), 1, input.rows.rank());
  return std::clamp<std::int64_t>(kMostElements / std::max<std::int64_t>(row, 1), 1, kMostRows);
}

std::vector<data::StoredArray> arrays_for(const DataSource& source, const ModelFile& model) {
  if (source.noise) return calibration::noise_for(model.graph, source.noise->rows, source.noise->seed);
  const std::vector<std::string> names = model.input_names();
  if (source.arrays) return data::inputs_from(*source.arrays, names);
  if (names.size() > 1)
    throw InputError(source.name,
                     fmt::format("holds images alone, expected an .npz with an array for each input: {}",
                                 fmt::join(names, ", ")));
  const Tensor& images = source.dataset->images;
  return {{"", images.dtype(), images.shape(), [&images] { return images; }}};
}

data::Labels labels_of(const DataSource& source, const ModelFile& model, std::int64_t rows) {
  if (source.noise) return {};
  if (source.arrays) return data::labels_from(*source.arrays, model.input_names(), rows);
  return {source.dataset->labels, source.dataset->classes};
}

data::Labels labels_for(const DataSource& source, const ModelFile& model, std::int64_t rows, Labels wanted) {
  if (wanted == Labels::ignored) return {};
  try {
    data::Labels labels = labels_of(source, model, rows);
    if (!labels.values.empty() && labels.values.size() != static_cast<std::size_t>(rows))
      throw InputError(source.name,
                       fmt::format("number of labels, got {}, expected {} (one a row)", labels.values.size(), rows));
    return labels;
  } catch (const InputError&) {
    if (wanted == Labels::wanted) throw;
    return {};
  }
}

// Adds to every label, for networks that have classes before the first.
void move_labels(calibration::Samples& samples, std::int64_t offset) {
  for (std::int32_t& label : samples.labels) {
    if (label + offset < 0 || label + offset > std::numeric_limits<std::int32_t>::max() - 1)
      throw InputError(samples.name, fmt::format("label {} with {} added, expected 0 to 2^31 - 2", label, offset));
    label += static_cast<std::int32_t>(offset);
  }
  samples.classes += samples.labels.empty() ? 0 : static_cast<int>(offset);
  samples.label_offset = offset;
}

// The offset that was asked for, else the one that the models' files say, else 0.
std::int64_t choose_label_offset(const std::optional<std::int64_t>& asked, bool overrides,
                                 const std::vector<const ModelFile*>& models) {
  std::optional<std::int64_t> said = asked;
  for (const ModelFile* model : models) {
    if (!model->label_offset || (asked && overrides)) continue;
    if (said && *said != *model->label_offset)
      throw UsageError("--label-offset", fmt::format("labels of '{}', got {}, expected {} as its file says, or "
                                                     "--override-preprocessing",
                                                     model->path, *said, *model->label_offset));
    said = model->label_offset;
  }
  return said.value_or(0);
}

}  // namespace

std::int64_t DataSource::rows(const ModelFile& model) const { return arrays_for(*this, model).at(0).shape[0]; }

bool is_noise(const std::string& spec) { return data::parse_source(spec).name == kNoise; }

DataSource open_data(const std::string& spec, data::Part default_part, std::int64_t noise_rows) {
  if (is_noise(spec)) {
    const data::Part part = data::parse_source(spec).part.value_or(default_part);
    return {.name = std::string(kNoise), .noise = Noise{noise_rows, part == data::Part::train ? 1U : 2U}};
  }
  if (!data::is_array_file(spec)) {
    data::Dataset dataset = data::load(spec, default_part);
    return {.name = dataset.name, .dataset = std::move(dataset)};
  }
  data::ArraySet arrays = data::read_array_set(spec, default_part);
  return {.name = std::filesystem::path(arrays.where).stem().string(), .arrays = std::move(arrays)};
}

calibration::Samples samples_from(const DataSource& source, const ModelFile& model, Labels wanted) {
  const std::vector<data::StoredArray> stored = arrays_for(source, model);
  std::vector<Shape> shapes;
  for (const data::StoredArray& array : stored) shapes.push_back(array.shape);
  calibration::expect_samples_for(model.graph, shapes);
  data::Labels labels = labels_for(source, model, shapes.at(0)[0], wanted);
  std::vector<Tensor> arrays;
  for (const data::StoredArray& array : stored) arrays.push_back(array.read());
  calibration::Samples samples = calibration::samples_for(model.graph, std::move(arrays));
  samples.name = source.name;
  if (samples.size() == 0) throw InputError(source.name, "no samples");
  samples.labels = std::move(labels.values);
  samples.classes = labels.classes;
  return samples;
}

void DataOptions::add_to(Command command, data::Part default_part, const std::string& samples_text) {
  const Command source = command.add_group("Samples");
  source.add_option(
      "--data", data,
      fmt::format(
          "digits (built in), mnist, fashion-mnist, cifar10, a directory, an .npz with an array for each "
          "input (or x) and labels y, or an .npy for the only input; rows are samples; add :train or :test "
          "to choose a part (otherwise {}); or random: noise without labels in the shape of the inputs, {} samples unless "
          "asked for more or fewer",
          data::name_of(default_part), kNoiseRows));
  source.add_option("--images", images,
                     "A folder of PNG and JPEG pictures: those of --labels, or a folder a class");
  source.require_option(may_be_missing ? 0 : 1, 1);
  command.add_option("--labels", labels, "A text file with \"file label\" a line, for --images");
  command.add_option("--label-offset", label_offset,
                     "Added to every label, for networks that have classes before the first (otherwise as the model's file "
                     "says, else 0)")
      .within(-kMostOffset, kMostOffset);
  command.add_option(
          "--resize", resize,
          "Short side of --images before the centre is cut out (otherwise 8/7 of what the network takes)")
      .within(1, 1 << 16);
  command.add_option("--crop", crop, "on, or off: the whole of --images is brought to what the network takes")
      .one_of({"on", "off"})
      .show_default();
  command.add_option(samples_name, samples, samples_text).within(1, 1 << 30);
  preprocessing.add_to(command);
  command.add_option("--threads", threads, threads_text)
      .within(1, 1024);
}

void DataOptions::expect_no_image_options() const {
  if (resize > 0 || crop != "on" || !labels.empty())
    throw UsageError("--labels, --resize, --crop", "are for --images");
}

DataSource DataOptions::open(data::Part default_part, const ModelFile& model) const {
  if (images.empty()) {
    expect_no_image_options();
    return open_data(data, default_part, sample_count());
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
                                                .sample = sample_count(),
                                                .threads = thread_count()});
  return {.name = dataset.name, .dataset = std::move(dataset)};
}

void DataOptions::prepare(calibration::Samples& taken, const std::vector<const ModelFile*>& models) const {
  const bool said = std::ranges::any_of(models, [](const ModelFile* m) { return m->preprocessing.has_value(); });
  if (!images.empty() && !preprocessing.given() && !said && !guesses_preset)
    throw UsageError("--preset", fmt::format("'{}' does not say how pictures are prepared, expected a preset",
                                             models.front()->path));
  Preparation pixels = preprocessing.choose(models, taken.name);
  taken.preprocessing = std::move(pixels.preprocessing);
  taken.prepared_by = std::move(pixels.from);
  move_labels(taken, choose_label_offset(label_offset, preprocessing.overrides, models));
}

calibration::Samples DataOptions::take(const DataSource& source, const ModelFile& model, Labels wanted,
                                    const std::vector<const ModelFile*>& table) const {
  calibration::Samples result = samples_from(source, model, wanted);
  prepare(result, table.empty() ? std::vector{&model} : table);
  if (preprocessing.given() && !result.has_pixels() && result.preprocessing != data::preset("raw"))
    throw UsageError("--preset", fmt::format("'{}' holds no pixels (uint8) for a float input of '{}'",
                                             source.name, model.path));
  const std::int64_t all = result.size();
  if (sample_count() > 0) result = calibration::sample(std::move(result), sample_count());
  if (finds_nan) return result;
  for (const calibration::SampledInput& input : result.inputs)
    if (const auto at = find_nan(input.rows)) {
      const auto place = static_cast<std::int64_t>(*at);
      const std::int64_t width = input.rows.size() / result.size();
      throw NotANumber(source.name, fmt::format("input '{}'", input.name), place / width * all / result.size(), place % width);
    }
  return result;
}

std::int64_t DataOptions::sample_count() const { return samples.value_or(is_noise() ? kNoiseRows : usual_samples); }

int DataOptions::thread_count() const { return threads > 0 ? threads : available_threads(); }

void keep_label_offset(std::map<std::string, std::string>& metadata, const calibration::Samples& samples) {
  metadata.erase(kLabelOffsetKey);
  if (samples.label_offset != 0) metadata[kLabelOffsetKey] = std::to_string(samples.label_offset);
}

calibration::BatchOptions batches_of(const calibration::Samples& samples, int threads) {
  return {.batch_size = samples.fixed_batch.value_or(rows_of_a_batch(samples)),
          .fixed_batch = samples.fixed_batch.has_value(),
          .threads = threads};
}

void with_progress(const DataOptions& data, const calibration::Samples& samples, const std::string& title,
                   const std::function<void(const calibration::BatchOptions&)>& work) {
  report::Progress progress(std::cerr, report::stderr_options());
  calibration::BatchOptions batches = batches_of(samples, data.thread_count());
  batches.progress = [&](double done) { progress.update(done, title); };
  work(batches);
}

}  // namespace halftone::cli
