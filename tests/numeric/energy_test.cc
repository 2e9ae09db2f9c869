// Energies and areas of operations: the figures of the source, and the lines between them.
#include "halftone/numeric/energy.h"

#include <gtest/gtest.h>

namespace halftone::numeric {
namespace {

TEST(Energy, FiguresOfHorowitzAreMetAndLinesBetweenThem) {
  EXPECT_DOUBLE_EQ(addition_energy(8), 0.03);
  EXPECT_DOUBLE_EQ(addition_energy(32), 0.1);
  EXPECT_DOUBLE_EQ(addition_energy(20), 0.065);
  EXPECT_DOUBLE_EQ(multiplication_energy(8, 8), 0.2);
  EXPECT_DOUBLE_EQ(multiplication_energy(32, 32), 3.1);
  EXPECT_DOUBLE_EQ(multiplication_energy(4, 16), 0.2);
  EXPECT_DOUBLE_EQ(multiplication_energy(2, 4), 0.2 - 2.9 * 56 / 960);
  for (int w = 1; w <= 16; ++w)
    for (int a = 2; a <= 16; ++a) EXPECT_GT(multiplication_energy(w, a), 0.0) << w << ' ' << a;
}

TEST(Energy, AreasOfHorowitzAreMetAndLinesBetweenThem) {
  EXPECT_DOUBLE_EQ(addition_area(8), 36);
  EXPECT_DOUBLE_EQ(addition_area(16), 67);
  EXPECT_DOUBLE_EQ(addition_area(32), 137);
  EXPECT_DOUBLE_EQ(multiplication_area(8, 8), 282);
  EXPECT_DOUBLE_EQ(multiplication_area(32, 32), 3495);
  for (int bits = 2; bits < 32; ++bits) EXPECT_LT(addition_area(bits), addition_area(bits + 1)) << bits;
}

}  // namespace
}  // namespace halftone::numeric
