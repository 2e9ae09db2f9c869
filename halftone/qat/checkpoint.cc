#include "halftone/qat/checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "halftone/base/error.h"
#include "halftone/base/file_identity.h"
#include "halftone/base/files_in_use.h"
#include "halftone/data/npz.h"
#include "halftone/qat/torch_graph.h"

namespace halftone::qat {
namespace {

using nlohmann::json;

constexpr const char* kAbout = "about";
constexpr int kVersion = 1;

json optional_number(const std::optional<double>& number) { return number ? json(*number) : json(); }
std::optional<double> optional_number(const json& number) { return number.is_null() ? std::nullopt : std::optional(number.get<double>()); }

json to_json(const EpochReport& report) {
  return {{"epoch", report.epoch}, {"epochs", report.epochs}, {"loss", report.loss}, {"accuracy", report.accuracy}, {"seconds", report.seconds},
          {"held_out", optional_number(report.held_out)}, {"held_out_loss", optional_number(report.held_out_loss)}, {"test", optional_number(report.test)}, {"first_test", optional_number(report.first_test)}};
}

EpochReport report_from(const json& j) {
  return {.epoch = j.at("epoch"), .epochs = j.at("epochs"), .loss = j.at("loss"), .accuracy = j.at("accuracy"), .held_out = optional_number(j.at("held_out")),
          .held_out_loss = optional_number(j.at("held_out_loss")),
          .test = optional_number(j.at("test")), .first_test = optional_number(j.at("first_test")), .seconds = j.at("seconds")};
}

json to_json(const Identity& identity, const Place& place) {
  json reports = json::array();
  for (const EpochReport& report : place.reports) reports.push_back(to_json(report));
  return {{"version", kVersion}, {"training", identity}, {"epoch", place.epoch}, {"batch", place.batch}, {"loss", place.loss}, {"right", place.right},
          {"random", place.random}, {"seconds", place.seconds}, {"best", place.best}, {"since_best", place.since_best}, {"reports", reports}};
}

Place place_from(const json& j) {
  Place place{.epoch = j.at("epoch"), .batch = j.at("batch"), .loss = j.at("loss"), .right = j.at("right"), .random = j.at("random"),
              .seconds = j.at("seconds"), .best = j.at("best"), .since_best = j.at("since_best")};
  for (const json& report : j.at("reports")) place.reports.push_back(report_from(report));
  if (place.epoch < 1 || place.batch < 0) throw json::out_of_range::create(401, "a place before the first", nullptr);
  return place;
}

void expect_same(const std::filesystem::path& path, const Identity& made, const Identity& now) {
  for (const auto& [name, value] : now) {
    const auto found = made.find(name);
    if (found == made.end() || found->second != value)
      throw UsageError(path.string(), fmt::format("is of another training: {}, got {}, expected {} as it was begun", name, value, found == made.end() ? "none" : found->second));
  }
}

struct Read {
  Identity identity;
  Place place;
};

Read read_about(const std::filesystem::path& path, const Tensor& about) {
  if (about.dtype() != DType::uint8) throw InputError(path.string(), "is no checkpoint: 'about' is no text");
  const auto bytes = about.data<std::uint8_t>();
  try {
    const json j = json::parse(bytes.begin(), bytes.end());
    if (const int version = j.at("version"); version != kVersion) throw UnsupportedError(path.string(), fmt::format("version of the checkpoint, got {}, expected {}", version, kVersion));
    return {j.at("training").get<Identity>(), place_from(j)};
  } catch (const json::exception& error) {
    throw InputError(path.string(), fmt::format("is no checkpoint: {}", error.what()));
  }
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Identity& identity, const Place& place, const std::vector<NamedTensor>& tensors) {
  const std::string text = to_json(identity, place).dump();
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  data::NamedTensors entries{{kAbout, Tensor::from<std::uint8_t>({static_cast<std::int64_t>(text.size())}, bytes)}};
  for (const NamedTensor& each : tensors) entries.emplace_back(each.name, from_torch(each.tensor));
  data::write_npz(path, entries);
}

Place load_checkpoint(const std::filesystem::path& path, const Identity& identity, const std::vector<NamedTensor>& tensors) {
  const data::NamedTensors read = data::read_npz(path);
  // It is read in order to be written anew.
  if (FilesInUse* files = FilesInUse::current(); files != nullptr)
    if (const auto file = identity_of(path)) files->note_written(*file);
  if (read.empty() || read[0].first != kAbout) throw InputError(path.string(), "is no checkpoint: it does not begin with 'about'");
  const Read about = read_about(path, read[0].second);
  expect_same(path, about.identity, identity);
  if (read.size() != tensors.size() + 1) throw InputError(path.string(), fmt::format("is of another network: {} tensors, expected {}", read.size() - 1, tensors.size()));
  std::vector<torch::Tensor> values;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, value] = read[i + 1];
    if (name != tensors[i].name || value.dtype() != DType::float32 || value.shape() != tensors[i].tensor.sizes().vec())
      throw InputError(path.string(), fmt::format("is of another network: tensor '{}' of shape {}, expected '{}' of {}", name, to_string(value.shape()), tensors[i].name,
                                                  to_string(tensors[i].tensor.sizes().vec())));
    values.push_back(view_as_torch(value, name));
  }
  const torch::NoGradGuard guard;
  for (std::size_t i = 0; i < tensors.size(); ++i) torch::Tensor(tensors[i].tensor).detach().copy_(values[i]);
  return about.place;
}

}  // namespace halftone::qat
