// Model files as protobuf messages, read so that large tensors are in memory once.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace halftone::onnx_io {

// protobuf's own parser keeps the file beside the message and lets long strings grow by doubling: twice to
// four times the file. These read block by block and make the bytes of a tensor in their size; the message is
// the one that protobuf would give. A gzip file is unpacked on the way. Throw InputError for what is not a
// ModelProto with a graph; the first SystemError when the file can't be read.
onnx::ModelProto read_model_proto(const std::filesystem::path& path);
onnx::ModelProto parse_model_proto(std::span<const std::byte> bytes, std::string_view where);

}  // namespace halftone::onnx_io
