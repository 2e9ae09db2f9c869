#include "halftone/base/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "tests/base/message_of.h"

namespace halftone {
namespace {

using testing::ElementsAre;

constexpr DType kAll[] = {DType::float32, DType::float64, DType::int8,  DType::uint8,
                          DType::int16,   DType::uint16,  DType::int32, DType::int64};

template <typename T>
std::vector<T> values(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return {data.begin(), data.end()};
}

Tensor counting(Shape shape) {
  Tensor tensor(DType::int32, std::move(shape));
  auto data = tensor.mutable_data<std::int32_t>();
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::int32_t>(i);
  return tensor;
}

// Rank 1 to 4, dimensions 0 to 4.
rc::Gen<Shape> small_shape() {
  return rc::gen::mapcat(rc::gen::inRange<std::size_t>(1, 5), [](std::size_t rank) {
    return rc::gen::container<Shape>(rank, rc::gen::inRange<std::int64_t>(0, 5));
  });
}

TEST(Tensor, StartsZeroFilled) {
  for (DType dtype : kAll) {
    const Tensor tensor(dtype, {3, 5});
    EXPECT_EQ(tensor.dtype(), dtype);
    EXPECT_EQ(tensor.size(), 15);
    EXPECT_EQ(tensor.rank(), 2U);
    EXPECT_EQ(tensor.dim(1), 5);
    EXPECT_EQ(tensor.byte_size(), 15 * size_of(dtype));
    EXPECT_EQ(tensor.bytes().size(), tensor.byte_size());
    EXPECT_TRUE(std::ranges::all_of(tensor.bytes(), [](std::byte b) { return b == std::byte{0}; }));
  }
}

TEST(Tensor, DefaultHasNoElements) {
  const Tensor tensor;
  EXPECT_EQ(tensor.dtype(), DType::float32);
  EXPECT_EQ(tensor.shape(), Shape{0});
  EXPECT_EQ(tensor.size(), 0);
  EXPECT_TRUE(tensor.data<float>().empty());
}

TEST(Tensor, AScalarHasOneElement) {
  const Tensor tensor = Tensor::from<double>({}, std::vector<double>{2.5});
  EXPECT_EQ(tensor.size(), 1);
  EXPECT_EQ(tensor.rank(), 0U);
  EXPECT_THAT(values<double>(tensor), ElementsAre(2.5));
}

TEST(Tensor, EmptyTensorsPassThroughEveryOperation) {
  const Tensor empty = Tensor::from<float>({2, 0, 3}, std::vector<float>{});
  EXPECT_EQ(empty.size(), 0);
  EXPECT_EQ(empty.reshaped({0}).shape(), Shape{0});
  EXPECT_EQ(empty.rows(1, 2).shape(), (Shape{1, 0, 3}));
  EXPECT_EQ(empty.cast(DType::int8).dtype(), DType::int8);
  EXPECT_EQ(empty, Tensor(DType::float32, {2, 0, 3}));
  const Tensor parts[] = {empty, empty};
  EXPECT_EQ(concatenate_rows(parts).shape(), (Shape{4, 0, 3}));
  EXPECT_EQ(Tensor(DType::float32, {0, 3}).rows(0, 0).shape(), (Shape{0, 3}));
}

TEST(Tensor, RefusesShapesThatAreNotStaticOrTooLarge) {
  EXPECT_THROW(Tensor(DType::int8, {kDynamic, 3}), InputError);
  EXPECT_THROW(Tensor(DType::int8, {-3}), InputError);
  EXPECT_THROW(Tensor(DType::int8, {kMaxElements + 1}), InputError);
  EXPECT_THROW(Tensor(DType::int8, {kMaxElements, kMaxElements}), InputError);
}

TEST(Tensor, RefusesTheWrongNumberOfValues) {
  const std::vector<float> three{1, 2, 3};
  EXPECT_THROW(Tensor::from<float>({2}, three), InputError);
  EXPECT_THROW(Tensor::from<float>({2, 2}, three), InputError);
  EXPECT_THROW(Tensor::from<float>({}, three), InputError);
  EXPECT_THROW(Tensor::from<float>({0}, three), InputError);
  EXPECT_EQ(message_of<InputError>([&] {
              Tensor::from<float>({2, 2}, three);
            }),
            "[tensor] wrong number of bytes for float32 2x2, got 12, expected 16");
}

TEST(Tensor, ReadingAnotherElementTypeIsALogicError) {
  for (DType held : kAll) {
    Tensor tensor(held, {2});
    const Tensor& constant = tensor;
    for (DType read : kAll)
      dispatch_dtype(read, [&](auto tag) {
        using T = decltype(tag);
        if (read == held) {
          EXPECT_EQ(constant.data<T>().size(), 2U);
          EXPECT_EQ(tensor.mutable_data<T>().size(), 2U);
        } else {
          EXPECT_THROW(constant.data<T>(), std::logic_error);
          EXPECT_THROW(tensor.mutable_data<T>(), std::logic_error);
        }
      });
  }
}

TEST(Tensor, CopiesShareStorageUntilOneWrites) {
  Tensor a = counting({4});
  Tensor b = a;
  const Tensor c = b;
  EXPECT_EQ(std::as_const(a).bytes().data(), std::as_const(b).bytes().data());
  b.mutable_data<std::int32_t>()[0] = 100;
  EXPECT_NE(std::as_const(a).bytes().data(), std::as_const(b).bytes().data());
  EXPECT_EQ(std::as_const(a).bytes().data(), c.bytes().data());
  a.mutable_bytes()[4] = std::byte{77};
  EXPECT_THAT(values<std::int32_t>(a), ElementsAre(0, 77, 2, 3));
  EXPECT_THAT(values<std::int32_t>(b), ElementsAre(100, 1, 2, 3));
  EXPECT_THAT(values<std::int32_t>(c), ElementsAre(0, 1, 2, 3));
}

TEST(Tensor, TheOnlyOwnerWritesInPlace) {
  Tensor a = counting({4});
  const std::byte* before = std::as_const(a).bytes().data();
  a.mutable_data<std::int32_t>()[0] = 1;
  EXPECT_EQ(std::as_const(a).bytes().data(), before);
  { const Tensor gone = a; }
  a.mutable_data<std::int32_t>()[0] = 2;
  EXPECT_EQ(std::as_const(a).bytes().data(), before);
}

TEST(Tensor, AdoptsBytesWithoutACopyWhenThereAreMany) {
  for (std::int64_t count : {0, 1, 3, 4, 15, 16, 17, 1000}) {
    std::string bytes(static_cast<std::size_t>(4 * count), '\x01');
    const void* before = bytes.data();
    Tensor tensor = Tensor::adopt(DType::int32, {count}, std::move(bytes));
    if (count >= 16) {
      EXPECT_EQ(std::as_const(tensor).bytes().data(), before) << count;
    }
    EXPECT_EQ(tensor, Tensor::from<std::int32_t>(
                          {count}, std::vector<std::int32_t>(static_cast<std::size_t>(count), 0x01010101)));
    const Tensor copy = tensor;
    if (count > 0) tensor.mutable_data<std::int32_t>()[0] = 7;
    EXPECT_EQ(copy == tensor, count == 0);
  }
  EXPECT_THROW(Tensor::adopt(DType::int32, {2}, "1234567"), InputError);
  EXPECT_THROW(Tensor::adopt(DType::int32, {2}, "123456789"), InputError);
  EXPECT_THROW(Tensor::adopt(DType::int32, {kDynamic}, ""), InputError);
}

// Every size, however it was made: kernels read vectors.
TEST(Tensor, StorageIsAligned) {
  const auto is_aligned = [](const Tensor& tensor) {
    return reinterpret_cast<std::uintptr_t>(tensor.bytes().data()) % 16 == 0;
  };
  for (std::int64_t count = 0; count < 100; ++count) {
    const Tensor made(DType::int8, {count});
    EXPECT_TRUE(is_aligned(made)) << count;
    EXPECT_TRUE(
        is_aligned(Tensor::adopt(DType::int8, {count}, std::string(static_cast<std::size_t>(count), 'x'))))
        << count;
    Tensor written = made;
    written.mutable_bytes();
    EXPECT_TRUE(is_aligned(written)) << count;
  }
}

TEST(Tensor, AReshapedTensorSharesUntilWrittenAndThenIsApart) {
  const Tensor a = counting({2, 3});
  Tensor b = a.reshaped({3, 2});
  EXPECT_EQ(a.bytes().data(), std::as_const(b).bytes().data());
  b.mutable_data<std::int32_t>()[5] = -1;
  EXPECT_THAT(values<std::int32_t>(a), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(values<std::int32_t>(b), ElementsAre(0, 1, 2, 3, 4, -1));
  EXPECT_EQ(a.shape(), (Shape{2, 3}));
}

TEST(Tensor, ACastToTheSameTypeIsApartWhenWritten) {
  const Tensor a = counting({3});
  Tensor b = a.cast(DType::int32);
  b.mutable_data<std::int32_t>()[0] = 9;
  EXPECT_THAT(values<std::int32_t>(a), ElementsAre(0, 1, 2));
}

TEST(Tensor, ReshapeKeepsTheCount) {
  const Tensor a = counting({2, 3});
  EXPECT_EQ(a.reshaped({6}).shape(), Shape{6});
  EXPECT_EQ(a.reshaped({1, 6, 1}).dim(1), 6);
  EXPECT_THROW(a.reshaped({5}), InputError);
  EXPECT_THROW(a.reshaped({}), InputError);
  EXPECT_THROW(a.reshaped({-2, -3}), InputError);
  EXPECT_THROW(a.reshaped({6, 0}), InputError);
  EXPECT_EQ(counting({1}).reshaped({}).rank(), 0U);
}

TEST(Tensor, RowsAreTheOutermostDimension) {
  const Tensor a = counting({3, 2});
  EXPECT_THAT(values<std::int32_t>(a.rows(1, 3)), ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(values<std::int32_t>(a.rows(0, 1)), ElementsAre(0, 1));
  EXPECT_EQ(a.rows(1, 1).shape(), (Shape{0, 2}));
  EXPECT_EQ(a.rows(3, 3).size(), 0);
  EXPECT_EQ(a.rows(0, 3), a);
  EXPECT_THROW(a.rows(-1, 2), InputError);
  EXPECT_THROW(a.rows(0, 4), InputError);
  EXPECT_THROW(a.rows(2, 1), InputError);
  EXPECT_THROW(a.rows(4, 4), InputError);
  EXPECT_THROW(counting({}).rows(0, 1), InputError);
}

TEST(Tensor, RowsAreCopies) {
  const Tensor a = counting({3, 2});
  Tensor b = a.rows(0, 3);
  b.mutable_data<std::int32_t>()[0] = 9;
  EXPECT_THAT(values<std::int32_t>(a), ElementsAre(0, 1, 2, 3, 4, 5));
}

RC_GTEST_PROP(Tensor, RowsJoinedAgainAreTheTensor, ()) {
  const Tensor whole = counting(*small_shape());
  const auto a = *rc::gen::inRange<std::int64_t>(0, whole.dim(0) + 1);
  const auto b = *rc::gen::inRange<std::int64_t>(a, whole.dim(0) + 1);
  const Tensor parts[] = {whole.rows(0, a), whole.rows(a, b), whole.rows(b, whole.dim(0))};
  RC_ASSERT(concatenate_rows(parts) == whole);
}

TEST(Tensor, JoinsOnlyEqualRows) {
  const auto join = [](std::vector<Tensor> parts) { return concatenate_rows(parts); };
  EXPECT_EQ(join({counting({1, 2}), counting({3, 2})}).shape(), (Shape{4, 2}));
  EXPECT_THROW(join({}), InputError);
  EXPECT_THROW(join({counting({})}), InputError);
  EXPECT_THROW(join({counting({2, 2}), counting({})}), InputError);
  EXPECT_THROW(join({counting({2, 2}), counting({2, 3})}), InputError);
  EXPECT_THROW(join({counting({2, 2}), counting({2})}), InputError);
  EXPECT_THROW(join({counting({2}), counting({2, 2})}), InputError);
  EXPECT_THROW(join({counting({2, 2}), counting({2, 2}).cast(DType::int64)}), InputError);
}

TEST(Tensor, CastsByStaticCast) {
  const Tensor real = Tensor::from<float>({4}, std::vector<float>{-1.9F, -0.5F, 0.99F, 127.0F});
  EXPECT_THAT(values<std::int8_t>(real.cast(DType::int8)), ElementsAre(-1, 0, 0, 127));
  EXPECT_THAT(values<double>(real.cast(DType::float64)), ElementsAre(-1.9F, -0.5F, 0.99F, 127.0F));
  const Tensor wide = Tensor::from<std::int32_t>({3}, std::vector<std::int32_t>{-1, 255, 256});
  EXPECT_THAT(values<std::uint8_t>(wide.cast(DType::uint8)), ElementsAre(255, 255, 0));
  EXPECT_THAT(values<std::int64_t>(wide.cast(DType::int64)), ElementsAre(-1, 255, 256));
}

RC_GTEST_PROP(Tensor, CastingEveryByteThroughWiderTypesComesBack, ()) {
  const auto in = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
  const Tensor bytes = Tensor::from<std::uint8_t>({static_cast<std::int64_t>(in.size())}, in);
  for (DType wide : {DType::float32, DType::float64, DType::int16, DType::uint16, DType::int32, DType::int64})
    RC_ASSERT(bytes.cast(wide).cast(DType::uint8) == bytes);
}

TEST(Tensor, EqualMeansTypeShapeAndBytes) {
  const Tensor a = counting({2, 3});
  EXPECT_EQ(a, counting({2, 3}));
  EXPECT_FALSE(a == counting({3, 2}));
  EXPECT_FALSE(Tensor(DType::int32, {2}) == Tensor(DType::float32, {2}));
  EXPECT_FALSE(Tensor(DType::int8, {2}) == Tensor(DType::uint8, {2}));
  Tensor b = a;
  b.mutable_data<std::int32_t>()[5] = 0;
  EXPECT_FALSE(a == b);
  const auto scalar = [](float x) { return Tensor::from<float>({}, std::vector<float>{x}); };
  EXPECT_EQ(scalar(std::nanf("")), scalar(std::nanf("")));
  EXPECT_FALSE(scalar(0.0F) == scalar(-0.0F));
}

}  // namespace
}  // namespace halftone
