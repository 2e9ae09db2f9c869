#include "halftone/onnx_io/input_shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::onnx_io {
namespace {

std::string describe(const std::string& name) { return fmt::format("input '{}'", name); }

// A name as dim_param is a free dimension; so is 0 or less, which old exporters write.
Shape shape_in_file(const onnx::TypeProto::Tensor& type) {
  Shape shape;
  for (const auto& dim : type.shape().dim())
    shape.push_back(dim.has_dim_value() && dim.dim_value() > 0 ? dim.dim_value() : kDynamic);
  return shape;
}

// "Nx3x?x?": what to replace.
std::string with_gaps(const Shape& shape) {
  std::string text = to_string(shape);
  std::replace(text.begin() + 1, text.end(), 'N', '?');
  return text;
}

void check_given(const Shape& given, const Shape& file, const std::string& name) {
  bool agrees = given.size() == file.size();
  for (std::size_t i = 0; i < given.size() && agrees; ++i)
    agrees = file[i] == kDynamic || given[i] == file[i];
  if (!agrees)
    throw UsageError("shapes", fmt::format("got {} for '{}', expected one that agrees with the file's {}",
                                            to_string(given), name, to_string(file)));
}

}  // namespace

Shape shape_of_input(const onnx::ValueInfoProto& input, const InputShapes& given) {
  const auto& type = input.type().tensor_type();
  const std::string where = describe(input.name());
  const auto found = given.find(input.name());
  Shape shape = found != given.end() ? found->second : shape_in_file(type);
  if (found != given.end() && type.has_shape()) check_given(shape, shape_in_file(type), input.name());
  if (found == given.end() && !type.has_shape())
    throw UnsupportedError(where, "has no shape, expected one", Remedy::give_shapes);
  const bool free = !shape.empty() && std::find(shape.begin() + 1, shape.end(), kDynamic) != shape.end();
  if (free)
    throw UnsupportedError(
        where, fmt::format("has shape {}, expected only the first dimension to be free, as {}={} with a number for each ?",
                           to_string(shape), input.name(), with_gaps(shape)),
        Remedy::give_shapes);
  element_count(is_static(shape) ? shape : Shape(shape.begin() + 1, shape.end()), where);
  return shape;
}

void check_names(const InputShapes& given, const std::vector<std::string>& inputs) {
  for (const auto& [name, shape] : given)
    if (std::ranges::find(inputs, name) == inputs.end())
      throw UsageError("shapes",
                       fmt::format("no input '{}', expected one of: {}", name, fmt::join(inputs, ", ")));
}

}  // namespace halftone::onnx_io
