#include <fmt/format.h>

#include "halftone/rtl/proof.h"

namespace halftone::rtl {
namespace {

constexpr const char* kRoundings[] = {"half_even", "half_away", "half_up"};

Proof requantizer(int acc_width, int rounding) {
  return {.name = fmt::format("Requantizer of {} by 8 bits is its specification, {}", acc_width, kRoundings[rounding]),
          .module = "RequantizerProof",
          .parameters = {{"ACC_WIDTH", acc_width}, {"MANTISSA", 8}, {"ROUNDING", rounding}}};
}

Proof rounding_shift(int width, int rounding) {
  return {.name = fmt::format("RoundingShift of a product of {} bits is its specification, {}", width, kRoundings[rounding]),
          .module = "RoundingShiftProof",
          .parameters = {{"IN_WIDTH", width}, {"ROUNDING", rounding}}};
}

Proof saturators(int width) {
  return {.name = fmt::format("saturators without comparators are Saturator, {} bits", width), .module = "SaturatorProof", .parameters = {{"IN_WIDTH", width}}};
}

Proof pair() { return {.name = "two products of one multiplier are exact", .module = "PairProof", .split_by = "b_i", .split_bits = 8}; }
Proof dots() { return {.name = "BinaryDot and NarrowDot are their sums", .module = "DotProof"}; }
Proof split_product() { return {.name = "SplitProduct is the product", .module = "SplitProductProof", .split_by = "b_i", .split_bits = 9}; }

// Where there is a fault, one question finds a counterexample soon.
Proof whole(Proof proof) {
  proof.split_by.clear();
  return proof;
}

}  // namespace

std::vector<Proof> proofs() {
  std::vector<Proof> all{saturators(16), saturators(32), dots(), pair(), split_product()};
  for (int rounding = 0; rounding < 3; ++rounding)
    for (int width : {8, 16}) all.push_back(requantizer(width, rounding));
  for (int rounding = 0; rounding < 3; ++rounding)
    for (int width : {50, 63}) all.push_back(rounding_shift(width, rounding));
  return all;
}

std::vector<PlantedFault> planted_faults() {
  return {
      {"a dropped borrow", {"PackPair", " - {8'b0, a0_i[7]}", ""}, whole(pair())},
      {"a dropped carry", {"PairProduct", " + {15'b0, product_q[15]}", ""}, whole(pair())},
      {"ties that all go up", {"RoundingShift", "1'($signed({x_i[IN_WIDTH-1], x_i}) >>> shift_i)", "1'b1"}, requantizer(16, 0)},
      {"a half that is a quarter", {"RoundingShift", "below >> 1;", "below >> 2;"}, rounding_shift(50, 0)},
      {"a shift by 0 that rounds", {"RoundingShift", "more && shift_i != '0", "more"}, rounding_shift(50, 0)},
      {"a shift off by one", {"RoundingShift", "rounded_q >>> shift_qq", "rounded_q >>> (shift_qq + 1'b1)"}, rounding_shift(50, 0)},
      {"a bound off by one", {"Saturator", "HIGH[OUT_WIDTH-1:0] :", "(HIGH[OUT_WIDTH-1:0] - 1'b1) :"}, saturators(32)},
      {"an upper bound one too high", {"RoundingShift", "near > high_q", "near - 1'b1 > high_q"}, rounding_shift(63, 0)},
      {"a bit that the uint8 test forgets", {"Uint8Saturator", "[IN_WIDTH-2:8]", "[IN_WIDTH-3:8]"}, saturators(32)},
      {"a sign that gets lost", {"NarrowDot", "WIDTH'($signed(products_q[i*2*BITS+:2*BITS]))", "WIDTH'(products_q[i*2*BITS+:2*BITS])"}, dots()},
      {"XOR instead of XNOR", {"BinaryDot", "~^", "^"}, dots()},
      {"a part at the wrong place", {"SplitProduct", "(i * A_PART + j * B_PART);\n      end else", "(i * A_PART + j * A_PART);\n      end else"}, whole(split_product())},
  };
}

}  // namespace halftone::rtl
