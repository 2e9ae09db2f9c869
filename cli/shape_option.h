// --shape, the option of every command that takes a model: sizes that the file leaves open.
#pragma once

#include "cli/command_line.h"
#include <string>
#include <vector>

#include "halftone/onnx_io/load.h"

namespace halftone::cli {

struct ShapeOption {
  std::vector<std::string> shapes;  // as written: "input=1x3x224x224"

  void add_to(Command command);
  // Throws UsageError for what is not NAME=SIZExSIZEx...
  onnx_io::InputShapes input_shapes() const;
};

}  // namespace halftone::cli
