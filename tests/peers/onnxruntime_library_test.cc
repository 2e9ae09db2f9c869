// Files that are no library of ONNX Runtime.
#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/peers/onnxruntime.h"

namespace halftone::peers {
namespace {

TEST(OnnxruntimeLibrary, RefusesOtherFiles) {
  EXPECT_THROW(OnnxruntimeLibrary("no/such/file.so"), SystemError);
  EXPECT_THROW(OnnxruntimeLibrary("/"), InputError);
  EXPECT_THROW(OnnxruntimeLibrary("/proc/self/exe"), InputError);
}

}  // namespace
}  // namespace halftone::peers
