// The arithmetic in a file's metadata.
#include "halftone/numeric/arithmetic_spec.h"

#include <gmock/gmock.h>

#include "tests/lower/qdq.h"

namespace halftone::qgraph {
namespace {

using numeric::ArithmeticSpec;
using numeric::Metadata;

TEST(ArithmeticSpec, SurvivesTheMetadata) {
  for (const ArithmeticSpec& spec : {ArithmeticSpec{},
                                     {.mantissa_bits = 8},
                                     {.mantissa_bits = 16},
                                     {.mode = numeric::Arithmetic::shift},
                                     {.rounding = numeric::Rounding::floor},
                                     {.mode = numeric::Arithmetic::shift, .rounding = numeric::Rounding::half_up},
                                     {.mode = numeric::Arithmetic::onnx}}) {
    Metadata metadata{{"other", "kept"}, {"halftone.mantissa_bits", "16"}, {"halftone.rounding", "half_away"}};
    numeric::write_arithmetic(spec, metadata);
    EXPECT_EQ(numeric::read_arithmetic(metadata), spec);
    EXPECT_EQ(metadata.at("other"), "kept");
  }
}

TEST(ArithmeticSpec, AFileThatSaysNothingIsReadAsOnnx) {
  EXPECT_EQ(numeric::read_arithmetic({}).mode, numeric::Arithmetic::onnx);
  EXPECT_EQ(numeric::read_arithmetic({{"halftone.mantissa_bits", "8"}}).mode, numeric::Arithmetic::onnx);
  Qdq g;
  g.graph.metadata.clear();
  EXPECT_EQ(g.lowered(g.input({1})).arithmetic.mode, numeric::Arithmetic::onnx);
}

TEST(ArithmeticSpec, AnotherVersionIsUnsupported) {
  for (const char* version : {"", "0", "2", "1.0", " 1"}) {
    const Metadata metadata{{"halftone.arithmetic", "fixed"}, {"halftone.arithmetic_version", version}};
    EXPECT_THAT(message_of<UnsupportedError>([&] { numeric::read_arithmetic(metadata); }),
                testing::HasSubstr("expected 1"));
  }
  EXPECT_THROW(numeric::read_arithmetic({{"halftone.arithmetic", "fixed"}}), UnsupportedError);
}

TEST(ArithmeticSpec, UnknownValuesAreRefusedByName) {
  Metadata metadata;
  numeric::write_arithmetic({}, metadata);
  for (const char* bits : {"", "7", "24", "64", "32 ", "-8", "99999999999999999999"}) {
    metadata["halftone.mantissa_bits"] = bits;
    EXPECT_THROW(numeric::read_arithmetic(metadata), InputError) << bits;
  }
  numeric::write_arithmetic({}, metadata);
  metadata["halftone.arithmetic"] = "floating";
  EXPECT_THAT(message_of<InputError>([&] { numeric::read_arithmetic(metadata); }), testing::HasSubstr("floating"));
}

TEST(ArithmeticSpec, IsDescribedInAFewWords) {
  EXPECT_EQ(describe(ArithmeticSpec{.mantissa_bits = 16}), "fixed, 16-bit mantissa");
  EXPECT_EQ(describe(ArithmeticSpec{.mode = numeric::Arithmetic::shift}), "shift");
}

}  // namespace
}  // namespace halftone::qgraph
