// Tensors between ONNX and us.
#pragma once

#include <onnx/onnx_pb.h>

#include <string_view>

#include "halftone/base/tensor.h"
#include "halftone/onnx_io/external_data.h"

namespace halftone::onnx_io {

// Throws InputError when dims, data type and data do not agree, or a float is NaN; UnsupportedError for types
// that are not read and for external data.
Tensor from_proto(const onnx::TensorProto& proto, std::string_view where);
// The same with the bytes moved out of `proto`, which is empty afterwards, or read from the file it names.
Tensor take_tensor(onnx::TensorProto& proto, ExternalData& files, std::string_view where);
// Throws InputError when a float is NaN or a bool neither 0 nor 1.
void check_elements(const Tensor& tensor, std::string_view where);
void to_proto(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto);
// Name, type and shape only.
void to_proto_without_data(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto);

DType dtype_from(std::int32_t onnx_type, std::string_view where);
std::int32_t onnx_type_of(DType dtype);

}  // namespace halftone::onnx_io
