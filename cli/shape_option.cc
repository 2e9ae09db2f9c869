#include "cli/shape_option.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

#include "halftone/base/error.h"

namespace halftone::cli {
namespace {

constexpr std::string_view kForm = "expected NAME=SIZExSIZEx..., such as input=1x3x224x224";

// Nothing when it is no dimension. Free ones are the first alone.
std::optional<std::int64_t> parse_dimension(std::string_view text, bool first) {
  if (first && (text == "N" || text == "?")) return kDynamic;
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || value < 1) return std::nullopt;
  return value;
}

// Names may hold any sign, shapes no '='.
std::pair<std::string, Shape> parse_shape(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  const auto refuse = [&] { throw UsageError("--shape", fmt::format("got '{}', {}", text, kForm)); };
  if (equals == std::string::npos || equals == 0) refuse();
  Shape shape;
  for (std::size_t begin = equals + 1; begin <= text.size();) {
    const std::size_t end = std::min(text.find('x', begin), text.size());
    const auto dimension = parse_dimension(std::string_view(text).substr(begin, end - begin), shape.empty());
    if (!dimension) refuse();
    shape.push_back(*dimension);
    begin = end + 1;
  }
  return {text.substr(0, equals), shape};
}

}  // namespace

void ShapeOption::add_to(Command command) {
  command.add_option("--shape", shapes,
                  "NAME=1x3x224x224: sizes of an input that the model leaves open; N first leaves the batch "
                  "open; may be given for several inputs")
      .one_value_each();
}

onnx_io::InputShapes ShapeOption::input_shapes() const {
  onnx_io::InputShapes result;
  for (const std::string& text : shapes) {
    const auto [name, shape] = parse_shape(text);
    if (!result.emplace(name, shape).second)
      throw UsageError("--shape", fmt::format("'{}' given twice", name));
  }
  return result;
}

}  // namespace halftone::cli
