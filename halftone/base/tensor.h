// A dense row-major tensor: a shape, an element type, and storage that copies share until one writes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "halftone/base/dtype.h"
#include "halftone/base/shape.h"

namespace halftone {

class Tensor {
 public:
  // A float32 tensor of shape {0}.
  Tensor() : Tensor(DType::float32, {0}) {}
  // Zero-filled. Throws InputError when `shape` is not static or too large.
  Tensor(DType dtype, Shape shape);

  // Throws InputError when the number of values is not that of the shape.
  template <typename T>
  static Tensor from(Shape shape, std::span<const T> values) {
    Tensor tensor(DTypeOf<T>::value, std::move(shape));
    tensor.copy_in(std::as_bytes(values));
    return tensor;
  }
  template <typename T>
  static Tensor from(Shape shape, const std::vector<T>& values) {
    return from<T>(std::move(shape), std::span<const T>(values));
  }
  // The bytes of all elements become the storage, without a copy when there are many. Throws InputError when
  // their number is not that of the shape.
  static Tensor adopt(DType dtype, Shape shape, std::string bytes);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::size_t rank() const { return shape_.size(); }
  std::int64_t dim(std::size_t axis) const { return shape_.at(axis); }
  std::int64_t size() const { return size_; }
  std::size_t byte_size() const { return static_cast<std::size_t>(size_) * size_of(dtype_); }

  // T must be the type that holds the tensor's elements (memory_dtype); anything else is a programmer's error
  // (std::logic_error).
  template <typename T>
  std::span<const T> data() const {
    expect_dtype(DTypeOf<T>::value);
    return {reinterpret_cast<const T*>(storage_->data()), static_cast<std::size_t>(size_)};
  }
  template <typename T>
  std::span<T> mutable_data() {
    expect_dtype(DTypeOf<T>::value);
    unshare();
    return {reinterpret_cast<T*>(storage_->data()), static_cast<std::size_t>(size_)};
  }
  std::span<const std::byte> bytes() const {
    return {reinterpret_cast<const std::byte*>(storage_->data()), byte_size()};
  }
  std::span<std::byte> mutable_bytes() {
    unshare();
    return {reinterpret_cast<std::byte*>(storage_->data()), byte_size()};
  }

  // The same elements under another shape of equal size (shares storage).
  Tensor reshaped(Shape shape) const;
  // Rows [first, last) of the outermost dimension (copies).
  Tensor rows(std::int64_t first, std::int64_t last) const;
  // Every element converted by static_cast.
  Tensor cast(DType dtype) const;
  // Same type, shape and bytes.
  bool operator==(const Tensor& other) const;

 private:
  void expect_dtype(DType dtype) const;
  void expect_bytes(std::size_t count) const;
  void unshare();
  void copy_in(std::span<const std::byte> bytes);

  DType dtype_;
  Shape shape_;
  std::int64_t size_;
  // A std::string because that is what protobuf reads bytes into, and weights are taken over from there.
  // Always on the heap, which aligns it for any element type.
  std::shared_ptr<std::string> storage_;
};

// `tensor` with its last row repeated until it has `count` rows; itself when it has as many.
Tensor pad_rows(const Tensor& tensor, std::int64_t count);

// Tensors joined along the outermost dimension; all of one type and one row shape.
Tensor concatenate_rows(std::span<const Tensor> parts);

}  // namespace halftone
