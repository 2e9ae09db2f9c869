#include "halftone/base/dtype.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace halftone {
namespace {

constexpr DType kAll[] = {DType::float32, DType::float64, DType::int8,  DType::uint8,
                          DType::int16,   DType::uint16,  DType::int32, DType::int64};

TEST(DType, SizesAndNames) {
  const std::size_t sizes[] = {4, 8, 1, 1, 2, 2, 4, 8};
  const std::string_view names[] = {"float32", "float64", "int8",  "uint8",
                                    "int16",   "uint16",  "int32", "int64"};
  for (std::size_t i = 0; i < std::size(kAll); ++i) {
    EXPECT_EQ(size_of(kAll[i]), sizes[i]);
    EXPECT_EQ(name_of(kAll[i]), names[i]);
    EXPECT_EQ(is_float(kAll[i]), i < 2);
  }
}

TEST(DType, DispatchIsTheInverseOfDTypeOf) {
  for (DType dtype : kAll)
    dispatch_dtype(dtype,
                   [&](auto tag) { EXPECT_EQ(DTypeOf<decltype(tag)>::value, dtype) << name_of(dtype); });
}

}  // namespace
}  // namespace halftone
