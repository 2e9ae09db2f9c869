#include "halftone/base/tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "halftone/base/address_space.h"
#include "halftone/base/error.h"

namespace halftone {
namespace {

// Strings shorter than this may live inside their object, where nothing aligns them.
constexpr std::size_t kSurelyOnHeap = 64;

constexpr std::size_t kLarge = 1 << 16;  // bytes; smaller ones come out of the reserve

std::shared_ptr<std::string> empty_storage(std::size_t capacity) {
  auto storage = std::make_shared<std::string>();
  storage->reserve(std::max(capacity, kSurelyOnHeap));
  return storage;
}

}  // namespace

Tensor::Tensor(DType dtype, Shape shape)
    : dtype_(dtype), shape_(std::move(shape)), size_(element_count(shape_, "tensor")) {
  if (byte_size() >= kLarge) expect_left(byte_size());
  storage_ = empty_storage(byte_size());
  storage_->resize(byte_size());
}

Tensor Tensor::adopt(DType dtype, Shape shape, std::string bytes) {
  Tensor tensor(dtype, {0});
  tensor.size_ = element_count(shape, "tensor");
  tensor.shape_ = std::move(shape);
  tensor.expect_bytes(bytes.size());
  if (bytes.size() < kSurelyOnHeap)
    tensor.storage_->assign(bytes);
  else
    tensor.storage_ = std::make_shared<std::string>(std::move(bytes));
  return tensor;
}

Tensor Tensor::reshaped(Shape shape) const {
  if (element_count(shape, "reshape") != size_)
    throw InputError(
        "reshape", fmt::format("element counts differ, got {} from {}", to_string(shape), to_string(shape_)));
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

Tensor Tensor::rows(std::int64_t first, std::int64_t last) const {
  if (shape_.empty() || first < 0 || last < first || last > shape_[0])
    throw InputError("tensor", fmt::format("rows {} to {} of shape {}", first, last, to_string(shape_)));
  Shape shape = shape_;
  shape[0] = last - first;
  Tensor result(dtype_, shape);
  const std::size_t row_bytes = shape_[0] == 0 ? 0 : byte_size() / static_cast<std::size_t>(shape_[0]);
  if (result.byte_size() > 0)
    std::memcpy(result.storage_->data(), storage_->data() + static_cast<std::size_t>(first) * row_bytes,
                result.byte_size());
  return result;
}

Tensor Tensor::cast(DType dtype) const {
  if (dtype == dtype_) return *this;
  Tensor result(dtype, shape_);
  dispatch_dtype(dtype_, [&](auto from) {
    dispatch_dtype(dtype, [&](auto to) {
      auto in = data<decltype(from)>();
      auto out = result.mutable_data<decltype(to)>();
      std::transform(in.begin(), in.end(), out.begin(), [](auto v) { return static_cast<decltype(to)>(v); });
    });
  });
  return result;
}

bool Tensor::operator==(const Tensor& other) const {
  return dtype_ == other.dtype_ && shape_ == other.shape_ && std::ranges::equal(bytes(), other.bytes());
}

void Tensor::expect_dtype(DType dtype) const {
  if (dtype != memory_dtype(dtype_))
    throw std::logic_error(fmt::format("tensor holds {}, read as {}", name_of(dtype_), name_of(dtype)));
}

void Tensor::unshare() {
  if (storage_.use_count() <= 1) return;
  auto own = empty_storage(storage_->size());
  own->assign(*storage_);
  storage_ = std::move(own);
}

void Tensor::expect_bytes(std::size_t count) const {
  if (count != byte_size())
    throw InputError("tensor", fmt::format("wrong number of bytes for {} {}, got {}, expected {}",
                                           name_of(dtype_), to_string(shape_), count, byte_size()));
}

void Tensor::copy_in(std::span<const std::byte> bytes) {
  expect_bytes(bytes.size());
  if (!bytes.empty()) std::memcpy(storage_->data(), bytes.data(), bytes.size());
}

Tensor pad_rows(const Tensor& tensor, std::int64_t count) {
  if (tensor.rank() == 0 || tensor.dim(0) >= count || tensor.dim(0) == 0) return tensor;
  std::vector<Tensor> parts{tensor};
  const Tensor last = tensor.rows(tensor.dim(0) - 1, tensor.dim(0));
  for (std::int64_t i = tensor.dim(0); i < count; ++i) parts.push_back(last);
  return concatenate_rows(parts);
}

Tensor concatenate_rows(std::span<const Tensor> parts) {
  if (parts.empty()) throw InputError("concatenate", "no tensors to join");
  Shape shape = parts[0].shape();
  if (shape.empty()) throw InputError("concatenate", "a scalar has no rows");
  const Shape row(shape.begin() + 1, shape.end());
  shape[0] = 0;
  for (const Tensor& part : parts) {
    if (part.rank() == 0 || part.dtype() != parts[0].dtype() ||
        !std::equal(row.begin(), row.end(), part.shape().begin() + 1, part.shape().end()))
      throw InputError("concatenate", fmt::format("rows differ, got {} and {}", to_string(part.shape()),
                                                  to_string(parts[0].shape())));
    shape[0] += part.dim(0);
  }
  if (parts.size() == 1) return parts[0];
  Tensor result(parts[0].dtype(), shape);
  std::byte* out = result.mutable_bytes().data();
  for (const Tensor& part : parts) {
    if (part.byte_size() > 0) std::memcpy(out, part.bytes().data(), part.byte_size());
    out += part.byte_size();
  }
  return result;
}

}  // namespace halftone
