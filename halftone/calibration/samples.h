// Samples that a network is run on: an array for each of its inputs, a row a sample.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halftone/data/dataset.h"
#include "halftone/data/preprocessing.h"
#include "halftone/ir/graph.h"

namespace halftone::calibration {

struct SampledInput {
  std::string name;
  Tensor rows;
  DType dtype = DType::float32;  // what the network takes: uint8 rows for float32 are pixels, to be prepared
  bool whole = false;            // a row is all of the input, which has no dimension for samples
};

struct Samples {
  std::string name;
  std::vector<SampledInput> inputs;  // in the network's order
  data::Preprocessing preprocessing;
  std::string prepared_by;           // who says so: an option, a model's file, the data set
  std::vector<std::int32_t> labels;  // one a row, or none at all
  int classes = 0;
  std::int64_t label_offset = 0;  // that was added to the labels
  std::optional<std::int64_t> fixed_batch;  // the network takes so many rows, no more and no fewer

  std::int64_t size() const { return inputs.empty() ? 0 : inputs[0].rows.dim(0); }
  bool has_pixels() const;
  // The inputs for rows [first, last), prepared. Throws InputError naming the input for numbers that its type
  // cannot hold.
  std::vector<Tensor> rows(std::int64_t first, std::int64_t last) const;
};

// The one input of a network that takes float32 rows of any size.
Samples samples_of(const data::Dataset& dataset, const data::Preprocessing& preprocessing);

// `arrays` (in the order of the graph's inputs) as its samples. The rows of an array are those of the input,
// or each is the whole input: then a run takes one sample. Throws InputError naming the input when shape,
// number of rows or batch do not fit.
Samples samples_for(const ir::Graph& graph, std::vector<Tensor> arrays);

// The same of arrays that are not read yet: throws for shapes that do not fit.
void expect_samples_for(const ir::Graph& graph, const std::vector<Shape>& arrays);

// `count` rows at even spacing, or all when there are fewer, as data::sample takes them.
Samples sample(Samples samples, std::int64_t count);

// The rows that `sample` leaves, in their order.
Samples left_by_sample(const Samples& samples, std::int64_t count);

}  // namespace halftone::calibration
