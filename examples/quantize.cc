// Quantizes a model: quantize MODEL.onnx SAMPLES.npy w4a8 OUT.onnx. What `halftone quantize MODEL.onnx --data SAMPLES.npy --bits
// w4a8 -o OUT.onnx` writes, in the library's terms, for at most 1,024 float32 rows and a network whose batch is open.
#include <cstdio>
#include <exception>

#include "halftone/base/error.h"
#include "halftone/data/npy.h"
#include "halftone/data/preprocessing.h"
#include "halftone/float_engine/executor.h"
#include "halftone/onnx_io/load.h"
#include "halftone/onnx_io/save.h"
#include "halftone/ptq/ptq.h"
#include "halftone/quant/bits.h"

int main(int argc, char** argv) try {
  if (argc != 5) throw halftone::UsageError("quantize", "expected MODEL.onnx SAMPLES.npy BITS OUT.onnx");
  const halftone::ir::Graph model = halftone::onnx_io::load_model(argv[1]);
  const halftone::Tensor samples = halftone::data::read_npy(argv[2]);
  const halftone::calibration::Runs runs{.samples = halftone::calibration::source_of(samples),
                                         .options = {},
                                         .make_executor = halftone::float_engine::make_executor};
  halftone::ptq::Result made = halftone::ptq::quantize(
      {.model = model, .recipe = halftone::quant::recipe_for(argv[3]), .runs = [&](auto...) { return runs; }});
  halftone::ir::Graph& quantized = made.made.quantized.graph;
  quantized.metadata[halftone::data::kPreprocessingKey] = halftone::data::encode(halftone::data::preset("raw"));
  halftone::onnx_io::save_model(quantized, argv[4]);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
