// NAME=FILE on the command line: arrays for inputs, and from outputs.
#pragma once

#include <string>
#include <vector>

#include "cli/model_file.h"
#include "halftone/base/new_files.h"
#include "halftone/data/npz.h"

namespace halftone::cli {

// One .npy file for an input or output, or with an empty name an .npz for all of them.
struct NamedFile {
  std::string name;
  std::string file;
};

// `text` is FILE, which is the first name's when it is no .npz, or NAME=FILE. Throws UsageError naming
// `option` and listing the names for any other.
std::vector<NamedFile> parse_named_files(const char* option, const std::vector<std::string>& texts,
                                         const std::vector<std::string>& names);

// The arrays in the order of `names`. Throws UsageError listing the names when one is missing, given twice or
// not among them.
std::vector<Tensor> read_inputs(const std::vector<NamedFile>& files, const std::vector<std::string>& names);

// One tensor a name, added to the files that ask for it.
void add_outputs(const std::vector<NamedFile>& files, const std::vector<std::string>& names,
                 const std::vector<Tensor>& tensors, NewFiles& written);

}  // namespace halftone::cli
