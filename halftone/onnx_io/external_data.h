// Tensors whose bytes are in files beside the model. Source: github.com/onnx/onnx, docs/ExternalData.md.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "halftone/base/descriptor.h"
#include "halftone/base/tensor.h"

namespace halftone::onnx_io {

class ExternalData {
 public:
  // For a model that is not a file: every tensor elsewhere is refused.
  ExternalData() = default;
  // For a model in this folder.
  explicit ExternalData(const std::filesystem::path& folder);

  // The tensor that `proto` says is in another file. A model can come from anyone: the file must be a regular
  // one inside the folder, links followed, and all that is taken of it together no more than it holds (the
  // same bytes again are shared). Throws InputError, UnsupportedError when there is no folder, SystemError.
  Tensor read(const onnx::TensorProto& proto, DType dtype, const Shape& shape, std::string_view where);

 private:
  struct File {
    std::filesystem::path path;
    Descriptor descriptor;
    std::uint64_t size = 0;
    std::uint64_t taken = 0;
  };
  using Range = std::tuple<std::filesystem::path, std::uint64_t, std::uint64_t, DType>;

  File& open(const std::string& location, std::string_view where);

  std::filesystem::path folder_;  // empty: none
  std::map<std::string, File> files_;
  std::map<Range, Tensor> read_;
};

// Says in `proto` that its bytes are `length` from `offset` of `location`.
void set_external(onnx::TensorProto& proto, const std::string& location, std::uint64_t offset,
                  std::uint64_t length);

}  // namespace halftone::onnx_io
