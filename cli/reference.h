// --reference: outputs to compare with, from a file or from another model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/data_options.h"
#include "cli/model_file.h"
#include "halftone/analysis/output_error.h"
#include "halftone/data/npz.h"
#include "halftone/onnx_io/load.h"

namespace halftone::cli {

// A quantized model on the engine, a float one at speed.
std::unique_ptr<ir::Executor> executor_of(const ModelFile& model);

// The reference is another model, no arrays.
bool is_model(const std::string& reference);

// Reference outputs by name; the only array of an .npy file has none.
data::NamedTensors read_reference(const std::string& file);
// The outputs of a model over all samples that `options` ask for, prepared as for all of `table`.
data::NamedTensors computed_reference(const ModelFile& model, const DataSource& source, const DataOptions& options,
                                      const std::vector<const ModelFile*>& table);

analysis::NamedOutputs outputs_of(const ModelFile& model);

// analysis::output_index of the model.
std::size_t output_index(const ModelFile& model, const std::string& name, const char* option = "--output");

}  // namespace halftone::cli
