#include "halftone/quant/calibration_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "halftone/base/digest.h"
#include "halftone/base/error.h"
#include "halftone/base/shown.h"

namespace halftone::quant {
namespace {

using nlohmann::json;

// A text by which a file says where it comes from.
struct Said {
  const char* key;
  const char* what;
  const char* expected;
  std::string CalibrationFile::*text;
};
constexpr Said kSaid[] = {{"preprocessing", "saw pixels prepared as", "parts of pixels prepared alike", &CalibrationFile::preprocessing},
                          {"network", "is of the network", "parts of one network", &CalibrationFile::network},
                          {"data", "is of the samples", "parts of one set of samples", &CalibrationFile::data}};

constexpr int kVersion = 1;
constexpr const char* kVersionKey = "halftone_calibration";
constexpr std::size_t kMostValues = std::size_t{1} << 14;  // half a gigabyte of histograms

json pair_of(const numeric::Range& range) { return {range.lo, range.hi}; }

json json_of(const calibration::Statistics& seen) {
  const calibration::Histogram& histogram = seen.histogram();
  json bins = json::array();
  for (std::size_t b = 0; b < histogram.bins().size(); ++b)
    if (histogram.bins()[b] != 0) bins.push_back({b, histogram.bins()[b]});
  json samples = json::array();
  for (const auto& [index, range] : seen.recent()) samples.push_back({index, range.lo, range.hi});
  return {{"seen", pair_of(histogram.range())},
          {"zeros", histogram.zeros()},
          {"exponent", histogram.exponent()},
          {"bins", bins},
          {"samples", samples}};
}

// Adds the samples from first to before last. Whether they were new.
bool add_samples(std::map<std::int64_t, std::int64_t>& samples, std::int64_t first, std::int64_t last) {
  const auto after = samples.lower_bound(first);
  if (after != samples.end() && after->first < last) return false;
  if (after != samples.begin() && std::prev(after)->second > first) return false;
  if (after != samples.end() && after->first == last) {
    last = after->second;
    samples.erase(after);
  }
  const auto before = samples.lower_bound(first);
  if (before != samples.begin() && std::prev(before)->second == first)
    std::prev(before)->second = last;
  else
    samples[first] = last;
  return true;
}

bool same_names(const calibration::StatisticsTable& a, const calibration::StatisticsTable& b) {
  return std::ranges::equal(a, b, {}, [](const auto& value) { return value.first; }, [](const auto& value) { return value.first; });
}

// Takes JSON apart; every refusal names the file and the value.
class Reader {
 public:
  Reader(const std::string& where, const std::string& name) : where_(where), name_(name) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(where_, name_.empty() ? what : fmt::format("value '{}': {}", name_, what));
  }
  const json& member(const json& object, const char* key) const {
    const auto at = object.find(key);
    if (at == object.end()) fail(fmt::format("\"{}\" is missing", key));
    return *at;
  }
  // A misspelt name would be a setting without effect.
  void expect_keys(const json& object, std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : object.items())
      if (std::ranges::find(known, key) == known.end())
        fail(fmt::format("\"{}\" is none of its parts: {}", key, fmt::join(known, ", ")));
  }
  std::int64_t whole(const json& number, const char* what) const {
    if (!number.is_number_integer()) fail(fmt::format("{} is no whole number", what));
    if (number.is_number_unsigned() && number.get<std::uint64_t>() > (std::uint64_t{1} << 62U))
      fail(fmt::format("{} is too large", what));
    return number.get<std::int64_t>();
  }
  double real(const json& number, const char* what) const {
    if (!number.is_number() || !std::isfinite(number.get<double>()))
      fail(fmt::format("{} is no finite number", what));
    return number.get<double>();
  }
  const json& list(const json& value, std::size_t size, const char* what) const {
    if (!value.is_array() || (size > 0 && value.size() != size)) fail(fmt::format("{} has another form", what));
    return value;
  }
  numeric::Range range(const json& value, const char* what) const {
    list(value, 2, what);
    const numeric::Range result{real(value[0], what), real(value[1], what)};
    if (std::max(std::fabs(result.lo), std::fabs(result.hi)) > std::numeric_limits<float>::max())
      fail(fmt::format("{} is [{}, {}], expected numbers that float32 holds", what, result.lo, result.hi));
    if (result.lo > result.hi) fail(fmt::format("{} is [{}, {}], expected the smaller first", what, result.lo, result.hi));
    return result;
  }

  calibration::Statistics statistics(const json& value) const {
    calibration::HistogramState state{.exponent = static_cast<int>(std::clamp<std::int64_t>(
                             whole(member(value, "exponent"), "exponent"), -10000, 10000)),
                         .zeros = whole(member(value, "zeros"), "zeros"),
                         .range = range(member(value, "seen"), "seen")};
    for (const json& bin : list(member(value, "bins"), 0, "bins")) {
      list(bin, 2, "a bin");
      state.bins.emplace_back(whole(bin[0], "a bin"), whole(bin[1], "a count"));
    }
    std::map<std::int64_t, numeric::Range> own = samples(member(value, "samples"), state.range);
    try {
      return {calibration::Histogram(state), std::move(own)};
    } catch (const InputError& error) {
      fail(error.what());
    }
  }

 private:
  std::map<std::int64_t, numeric::Range> samples(const json& value, const numeric::Range& seen) const {
    std::map<std::int64_t, numeric::Range> all;
    for (const json& sample : list(value, 0, "samples")) {
      list(sample, 3, "a sample");
      const std::int64_t index = whole(sample[0], "a sample's index");
      const numeric::Range own = range(json::array({sample[1], sample[2]}), "a sample's range");
      if (index < 0) fail(fmt::format("a sample's index is {}, expected 0 or more", index));
      if (own.lo < seen.lo || own.hi > seen.hi)
        fail(fmt::format("sample {} has the range [{}, {}], expected one within what was seen, [{}, {}]", index, own.lo,
                         own.hi, seen.lo, seen.hi));
      if (!all.emplace(index, own).second) fail(fmt::format("sample {} is there twice, expected once", index));
    }
    if (all.size() > calibration::Statistics::kRecent)
      fail(fmt::format("{} samples, expected the newest {} at most", all.size(), calibration::Statistics::kRecent));
    return all;
  }

  const std::string& where_;
  std::string name_;
};

// Parses the text value by value: each is taken apart and let go before the next, so that what is in memory is the
// statistics. A key that stands twice in an object is refused: JSON's readers differ on which of the two counts.
class Document {
 public:
  explicit Document(const std::string& where) : where_(where) {}

  // All but the values, which are taken out.
  json parse(std::string_view text) {
    const Reader top(where_, "");
    if (text.find('\0') != std::string_view::npos) top.fail("holds a byte that is 0, expected text");
    json root = json::parse(
        text, [this](int depth, json::parse_event_t event, json& parsed) { return see(depth, event, parsed); }, false);
    if (root.is_discarded()) top.fail("is no JSON");
    if (!root.is_object()) top.fail("is no JSON object");
    return root;
  }

  calibration::StatisticsTable seen;
  RangeTable set;

 private:
  using Event = json::parse_event_t;

  // Whether to keep what was parsed.
  bool see(int depth, Event event, const json& parsed) {
    const auto level = static_cast<std::size_t>(depth);
    if (event == Event::object_start || event == Event::array_start) open(level, event);
    if (event == Event::key) enter(level, parsed.get_ref<const std::string&>());
    if (event == Event::value && ++parts_ > kMostParts) fail(fmt::format("has more than {} parts", kMostParts));
    const bool is_value = event == Event::object_end && level == 2 && in_values_;
    if (is_value) take(parsed);
    if (event == Event::object_end && level == 1) in_values_ = false;
    return !is_value;
  }
  void open(std::size_t level, Event event) {
    if (level >= kMostLevels) fail(fmt::format("is nested more than {} deep", kMostLevels));
    if (++parts_ > kMostParts) fail(fmt::format("has more than {} parts", kMostParts));
    keys_.resize(level + 1);
    keys_[level] = {};
    if (level == 1 && event == Event::object_start) in_values_ = key_ == "values";
  }
  void enter(std::size_t level, const std::string& key) {
    std::set<std::string>& own = keys_[level - 1];
    if (level == 1) {
      key_ = key;
      parts_ = 0;
    }
    if (level == 2 && in_values_) {
      value_ = key;
      parts_ = 0;
      if (own.size() == kMostValues) fail(fmt::format("is one of more than {} values", kMostValues));
    }
    if (!own.insert(key).second)
      fail(level == 2 && in_values_ ? "is there twice, expected once" : fmt::format("\"{}\" is there twice, expected once", key));
  }
  void take(const json& value) {
    const Reader reader(where_, value_);
    reader.expect_keys(value, {"seen", "zeros", "exponent", "bins", "samples", "range"});
    if (value.contains("range")) set[value_] = reader.range(value["range"], "range");
    if (value.contains("seen") || !value.contains("range")) seen[value_] = reader.statistics(value);
  }
  [[noreturn]] void fail(const std::string& what) const { Reader(where_, in_values_ ? value_ : "").fail(what); }

  static constexpr std::size_t kMostLevels = 5;
  static constexpr std::size_t kMostParts = 20000;  // of a value; bins and samples make 14,342 at most

  const std::string& where_;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open, by level
  std::string key_;                          // of the root, that is being read
  std::string value_;                        // in "values", that is being read
  bool in_values_ = false;
  std::size_t parts_ = 0;  // since the value's name
};

void expect_readable(const CalibrationFile& file) {
  std::set<std::string> names;
  for (const auto& [name, seen] : file.seen) names.insert(name);
  for (const auto& [name, range] : file.set) names.insert(name);
  for (const std::string& name : names)
    if (!is_utf8(name))
      throw UnsupportedError("calibration file", fmt::format("name of value '{}' is not UTF-8, expected what JSON can hold", shown(name)));
  if (names.size() > kMostValues)
    throw UnsupportedError("calibration file", fmt::format("{} values, expected at most {}", names.size(), kMostValues));
}

}  // namespace

std::string to_json(const CalibrationFile& file) {
  expect_readable(file);
  json values = json::object();
  for (const auto& [name, seen] : file.seen) values[name] = json_of(seen);
  for (const auto& [name, range] : file.set) values[name]["range"] = pair_of(range);
  json samples = json::array();
  for (const auto& [first, last] : file.samples) samples.push_back({first, last});
  json root{{kVersionKey, kVersion}, {"equalized", file.equalized}, {"svd", file.svd}, {"samples", samples},
            {"values", values}};
  if (file.total > 0) root["total"] = file.total;
  for (const Said& said : kSaid)
    if (!(file.*said.text).empty()) root[said.key] = file.*said.text;
  std::string text = root.dump(1) + "\n";
  if (text.size() > kMostCalibrationBytes)
    throw UnsupportedError("calibration file", fmt::format("{} bytes, expected at most {}", text.size(), kMostCalibrationBytes));
  return text;
}

CalibrationFile calibration_from_json(std::string_view text, const std::string& where) {
  const Reader top(where, "");
  Document document(where);
  const json root = document.parse(text);
  const std::int64_t version = top.whole(top.member(root, kVersionKey), kVersionKey);
  if (version != kVersion) top.fail(fmt::format("version, got {}, expected {}", version, kVersion));
  const json& equalized = top.member(root, "equalized");
  if (!equalized.is_boolean()) top.fail("\"equalized\" is neither true nor false");
  CalibrationFile file{.equalized = equalized.get<bool>()};
  top.expect_keys(root, {kVersionKey, "equalized", "svd", "samples", "total", "preprocessing", "network", "data", "values"});
  if (root.contains("svd")) file.svd = top.real(root["svd"], "svd");
  if (root.contains("total")) file.total = top.whole(root["total"], "total");
  for (const Said& said : kSaid) {
    if (!root.contains(said.key)) continue;
    if (!root[said.key].is_string()) top.fail(fmt::format("\"{}\" is no text", said.key));
    file.*said.text = root[said.key].get<std::string>();
  }
  const json samples = root.value("samples", json::array());
  for (const json& part : top.list(samples, 0, "samples")) {
    top.list(part, 2, "samples");
    const std::int64_t first = top.whole(part[0], "samples");
    const std::int64_t last = top.whole(part[1], "samples");
    if (first < 0 || last <= first || !add_samples(file.samples, first, last))
      top.fail(fmt::format("samples [{}, {}], expected the first and one behind the last, and each once", first, last));
  }
  if (file.total < 0 || (file.total > 0 && !file.samples.empty() && file.samples.rbegin()->second > file.total))
    top.fail(fmt::format("\"total\" is {}, expected as many as the samples seen or more", file.total));
  const json& values = top.member(root, "values");
  if (!values.is_object()) top.fail("\"values\" is no JSON object");
  for (const auto& [name, value] : values.items()) Reader(where, name).fail("is no JSON object");
  file.seen = std::move(document.seen);
  file.set = std::move(document.set);
  return file;
}

std::string digest_of(const ir::Graph& graph) {
  Digest digest;
  const auto add = [&](std::string_view text) { digest.add(std::as_bytes(std::span(text))); };
  for (const ir::Node& node : graph.nodes) add(ir::name_of(node.op));
  for (const ir::Value& value : graph.values)
    if (value.constant) digest.add(value.constant->bytes());
  return digest.text();
}

void join(CalibrationFile& all, const CalibrationFile& part, const std::string& where) {
  if (all.equalized != part.equalized && !(all.seen.empty() && all.set.empty()))
    throw InputError(where, "was made with and another one without equalization");
  if (all.svd != part.svd && !(all.seen.empty() && all.set.empty()))
    throw InputError(where, fmt::format("was split by SVD to {}, another one to {}", part.svd, all.svd));
  for (const Said& said : kSaid) {
    const std::string& own = part.*said.text;
    std::string& others = all.*said.text;
    if (!others.empty() && !own.empty() && others != own)
      throw InputError(where, fmt::format("{} '{}', another file '{}': expected {}", said.what, own, others, said.expected));
    if (!own.empty()) others = own;
  }
  if (all.total > 0 && part.total > 0 && all.total != part.total)
    throw InputError(where, fmt::format("is a part of {} samples, another file of {}", part.total, all.total));
  if (part.total > 0) all.total = part.total;
  all.equalized = part.equalized;
  all.svd = part.svd;
  if (!all.seen.empty() && !part.seen.empty() && !same_names(all.seen, part.seen))
    throw InputError(where, "has other values than another file: parts are of one network");
  for (const auto& [first, last] : part.samples)
    if (!add_samples(all.samples, first, last))
      throw InputError(where, fmt::format("saw samples {} to {}, of which another file saw some: parts are of other samples",
                                          first, last - 1));
  for (const auto& [name, seen] : part.seen) all.seen[name].merge(seen);
  for (const auto& [name, range] : part.set) {
    const auto [at, added] = all.set.try_emplace(name, range);
    if (!added && !(at->second == range))
      throw InputError(where, fmt::format("sets the range of '{}' to [{}, {}], another file to [{}, {}]", name,
                                          range.lo, range.hi, at->second.lo, at->second.hi));
  }
}

std::vector<std::pair<std::int64_t, std::int64_t>> missing_samples(const CalibrationFile& all) {
  std::vector<std::pair<std::int64_t, std::int64_t>> missing;
  std::int64_t next = 0;
  for (const auto& [first, last] : all.samples) {
    if (all.total > 0 && first > next) missing.emplace_back(next, first);
    next = last;
  }
  if (next < all.total) missing.emplace_back(next, all.total);
  return missing;
}

}  // namespace halftone::quant
