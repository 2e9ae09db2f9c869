#include "halftone/qat/checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

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

// JSON's numbers would be cut to fit the type.
std::int64_t whole(const json& j, const char* name, std::int64_t most) {
  const json& number = j.at(name);
  if (!number.is_number_unsigned() || number.get<std::uint64_t>() > static_cast<std::uint64_t>(most))
    throw json::out_of_range::create(401, fmt::format("'{}' is not a whole number from 0 to {}", name, most), nullptr);
  return number.get<std::int64_t>();
}
int whole(const json& j, const char* name) { return static_cast<int>(whole(j, name, std::numeric_limits<int>::max())); }

EpochReport report_from(const json& j) {
  return {.epoch = whole(j, "epoch"), .epochs = whole(j, "epochs"), .loss = j.at("loss"), .accuracy = j.at("accuracy"), .held_out = optional_number(j.at("held_out")),
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
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  Place place{.epoch = whole(j, "epoch"), .batch = whole(j, "batch", kMost), .loss = j.at("loss"), .right = whole(j, "right", kMost), .random = j.at("random"),
              .seconds = j.at("seconds"), .best = j.at("best"), .since_best = whole(j, "since_best")};
  for (const json& report : j.at("reports")) place.reports.push_back(report_from(report));
  return place;
}

// A state of zeros alone stays so: draws that have to be fair would never end.
bool is_state(const std::string& text) {
  std::mt19937_64 random;
  std::istringstream words(text);
  if (!(words >> random)) return false;
  std::string more;
  if (words >> more) return false;
  std::uint64_t drawn = 0;
  for (std::size_t i = 0; i < 2 * std::mt19937_64::state_size; ++i) drawn |= random();
  return drawn != 0;
}

void check_place(const std::filesystem::path& path, const Place& place, const Extent& extent) {
  const auto expect = [&](bool holds, const char* name, auto got, auto least, auto most) {
    if (!holds) throw InputError(path.string(), fmt::format("{} of the checkpoint, got {}, expected {} to {}", name, got, least, most));
  };
  expect(place.epoch >= 1 && place.epoch - 1 <= extent.epochs, "epoch", place.epoch, 1, std::int64_t{extent.epochs} + 1);
  const std::int64_t batches = place.epoch > extent.epochs ? 0 : extent.batches;
  expect(place.batch <= batches, "batch", place.batch, 0, batches);
  expect(place.right <= extent.rows, "rows that are right", place.right, 0, extent.rows);
  const auto over = static_cast<std::size_t>(place.epoch - 1);
  expect(place.reports.size() == over, "epochs that are over", place.reports.size(), over, over);
  if (!is_state(place.random)) throw InputError(path.string(), "is no checkpoint: 'random' is no state of the generator");
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

Place load_checkpoint(const std::filesystem::path& path, const Identity& identity, const Extent& extent, const std::vector<NamedTensor>& tensors) {
  const data::NamedTensors read = data::read_npz(path);
  // It is read in order to be written anew.
  if (FilesInUse* files = FilesInUse::current(); files != nullptr)
    if (const auto file = identity_of(path)) files->note_written(*file);
  if (read.empty() || read[0].first != kAbout) throw InputError(path.string(), "is no checkpoint: it does not begin with 'about'");
  const Read about = read_about(path, read[0].second);
  expect_same(path, about.identity, identity);
  check_place(path, about.place, extent);
  if (read.size() != tensors.size() + 1) throw InputError(path.string(), fmt::format("is of another network: {} tensors, expected {}", read.size() - 1, tensors.size()));
  std::vector<torch::Tensor> values;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, value] = read[i + 1];
    if (value.dtype() != DType::float32) throw InputError(path.string(), fmt::format("tensor '{}', got {}, expected float32", name, name_of(value.dtype())));
    if (name != tensors[i].name || value.shape() != tensors[i].tensor.sizes().vec())
      throw InputError(path.string(), fmt::format("is of another network: tensor '{}' of shape {}, expected '{}' of {}", name, to_string(value.shape()), tensors[i].name,
                                                  to_string(tensors[i].tensor.sizes().vec())));
    values.push_back(view_as_torch(value, name));
    if (tensors[i].role != Role::memory && !values.back().isfinite().all().item<bool>()) throw InputError(path.string(), fmt::format("tensor '{}' holds a number that is not finite", name));
  }
  const torch::NoGradGuard guard;
  for (std::size_t i = 0; i < tensors.size(); ++i) torch::Tensor(tensors[i].tensor).detach().copy_(values[i]);
  return about.place;
}

}  // namespace halftone::qat
