#include "halftone/data/preprocessing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone::data {
namespace {

constexpr std::size_t kMaxChannels = 1024;
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxText = std::size_t{1} << 16;
constexpr int kPixelValues = 256;

const std::vector<Preprocessing>& presets() {
  static const std::vector<Preprocessing> list = {
      {.name = "raw"},
      {.name = "mnist", .divisor = 255},
      {.name = "cifar10",
       .divisor = 255,
       .mean = {0.4914f, 0.4822f, 0.4465f},
       .std = {0.2470f, 0.2435f, 0.2616f}},
      {.name = "imagenet", .divisor = 255, .mean = {0.485f, 0.456f, 0.406f}, .std = {0.229f, 0.224f, 0.225f}},
      {.name = "tf", .divisor = 1, .mean = {128}, .std = {static_cast<float>(1 / 0.00787402)}},
  };
  return list;
}

bool is_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  return !name.empty() && name.size() <= kMaxName &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool is_positive(float value) { return std::isfinite(value) && value > 0; }

// The fault of `p`, or an empty string.
std::string fault_of(const Preprocessing& p) {
  if (!is_name(p.name))
    return fmt::format("name, got {} characters, expected 1 to {} of A-Za-z0-9_.-", p.name.size(), kMaxName);
  if (!is_positive(p.divisor)) return fmt::format("divisor, got {}, expected a number above 0", p.divisor);
  if (p.mean.empty() || p.mean.size() > kMaxChannels || p.mean.size() != p.std.size())
    return fmt::format("channels, got {} means and {} deviations, expected as many, 1 to {}", p.mean.size(),
                       p.std.size(), kMaxChannels);
  for (float mean : p.mean)
    if (!std::isfinite(mean)) return fmt::format("mean, got {}, expected a finite number", mean);
  for (float deviation : p.std)
    if (!is_positive(deviation)) return fmt::format("std, got {}, expected a number above 0", deviation);
  return {};
}

bool all_are(const std::vector<float>& values, float number) {
  return std::ranges::all_of(values, [number](float v) { return v == number; });
}

bool changes_nothing(const Preprocessing& p) {
  return p.divisor == 1 && all_are(p.mean, 0) && all_are(p.std, 1);
}

std::array<float, kPixelValues> table_of(const Preprocessing& p, std::size_t channel) {
  std::array<float, kPixelValues> table{};
  for (int pixel = 0; pixel < kPixelValues; ++pixel) {
    const float scaled = static_cast<float>(pixel) / p.divisor;
    const float centred = scaled - p.mean[channel];
    table[static_cast<std::size_t>(pixel)] = centred / p.std[channel];
  }
  return table;
}

std::string to_text(const std::vector<float>& values) {
  std::string text;
  for (float value : values) {
    std::array<char, 32> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    if (!text.empty()) text += ',';
    text.append(digits.data(), end);
  }
  return text;
}

// "0.5", or "[0.485, 0.456, 0.406]".
std::string list_text(const std::vector<float>& values) {
  return values.size() == 1 ? fmt::format("{}", values[0]) : fmt::format("[{}]", fmt::join(values, ", "));
}

[[noreturn]] void fail(std::string_view what) { throw InputError("preprocessing", what); }

std::vector<float> to_floats(std::string_view text, std::string_view key) {
  std::vector<float> values;
  for (;;) {
    const std::string_view item = text.substr(0, text.find(','));
    float value = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), value);
    if (error != std::errc{} || end != item.data() + item.size())
      fail(fmt::format("{}, got text that is no number, expected numbers between commas", key));
    values.push_back(value);
    if (item.size() == text.size()) return values;
    text.remove_prefix(item.size() + 1);
  }
}

// Takes "key=value" and the space after it from the front of `text`.
std::string_view take(std::string_view& text, std::string_view key) {
  const std::string_view field = text.substr(0, text.find(' '));
  if (!field.starts_with(key) || !field.substr(key.size()).starts_with('='))
    fail(fmt::format("text, got no '{0}=' where expected; the form is name=N divisor=D mean=M,... std=S,...",
                     key));
  text.remove_prefix(std::min(text.size(), field.size() + 1));
  return field.substr(key.size() + 1);
}

}  // namespace

std::vector<std::string_view> preset_names() {
  std::vector<std::string_view> names;
  for (const Preprocessing& p : presets()) names.push_back(p.name);
  return names;
}

Preprocessing preset(std::string_view name) {
  for (const Preprocessing& p : presets())
    if (p.name == name) return p;
  throw UsageError("preprocessing", fmt::format("unknown preset, got '{}', expected one of {}", name,
                                                fmt::join(preset_names(), ", ")));
}

Preprocessing default_preset(std::string_view dataset_name) {
  if (dataset_name == "mnist" || dataset_name == "fashion-mnist" || dataset_name == "digits")
    return preset("mnist");
  return preset(dataset_name == "cifar10" ? "cifar10" : "raw");
}

Tensor apply(const Preprocessing& preprocessing, const Tensor& images) {
  if (const std::string fault = fault_of(preprocessing); !fault.empty())
    throw UsageError("preprocessing", fault);
  if (images.dtype() == DType::float32 && changes_nothing(preprocessing)) return images;
  const std::size_t channels = preprocessing.mean.size();
  if (images.dtype() != DType::uint8)
    throw UsageError("preprocessing", fmt::format("images for '{}', got {}, expected uint8",
                                                  preprocessing.name, name_of(images.dtype())));
  if (images.rank() < 2 || (channels > 1 && images.dim(1) != static_cast<std::int64_t>(channels)))
    throw UsageError("preprocessing",
                     fmt::format("images for '{}', got shape {}, expected rows of {} channels",
                                 preprocessing.name, to_string(images.shape()), channels));
  Tensor result(DType::float32, images.shape());
  const auto plane = static_cast<std::size_t>(product(images.shape(), channels == 1 ? 1 : 2, images.rank()));
  const auto in = images.data<std::uint8_t>();
  const auto out = result.mutable_data<float>();
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const auto table = table_of(preprocessing, channel);
    for (std::size_t start = channel * plane; start < in.size(); start += channels * plane)
      for (std::size_t i = start; i < start + plane; ++i) out[i] = table[in[i]];
  }
  return result;
}

std::string describe(const Preprocessing& p) {
  std::string text = p.divisor == 1 ? "p" : fmt::format("p / {}", p.divisor);
  if (!all_are(p.mean, 0)) text += fmt::format(" - {}", list_text(p.mean));
  if (!all_are(p.std, 1)) text = fmt::format("{} / {}", text == "p" ? text : "(" + text + ")", list_text(p.std));
  return fmt::format("{}: {}", p.name, text);
}

bool same_numbers(const Preprocessing& a, const Preprocessing& b) {
  const std::size_t channels = std::max(a.mean.size(), b.mean.size());
  const auto fits = [&](const Preprocessing& p) { return p.mean.size() == 1 || p.mean.size() == channels; };
  if (!fits(a) || !fits(b)) return false;
  for (std::size_t c = 0; c < channels; ++c)
    if (table_of(a, a.mean.size() == 1 ? 0 : c) != table_of(b, b.mean.size() == 1 ? 0 : c)) return false;
  return true;
}

std::string encode(const Preprocessing& preprocessing) {
  if (const std::string fault = fault_of(preprocessing); !fault.empty())
    throw UsageError("preprocessing", fault);
  return fmt::format("name={} divisor={} mean={} std={}", preprocessing.name,
                     to_text({preprocessing.divisor}), to_text(preprocessing.mean),
                     to_text(preprocessing.std));
}

Preprocessing decode(std::string_view text) {
  if (text.size() > kMaxText)
    fail(fmt::format("length of the text, got {}, expected at most {}", text.size(), kMaxText));
  Preprocessing result;
  result.name = take(text, "name");
  const auto divisor = to_floats(take(text, "divisor"), "divisor");
  if (divisor.size() != 1) fail(fmt::format("divisor, got {} numbers, expected 1", divisor.size()));
  result.divisor = divisor[0];
  result.mean = to_floats(take(text, "mean"), "mean");
  result.std = to_floats(take(text, "std"), "std");
  if (!text.empty()) fail(fmt::format("text after std, got {} characters, expected none", text.size()));
  if (const std::string fault = fault_of(result); !fault.empty()) fail(fault);
  return result;
}

}  // namespace halftone::data
