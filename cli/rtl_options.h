// The options of `halftone rtl`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/data_options.h"
#include "halftone/rtl/array.h"

namespace halftone::cli {

struct RtlOptions {
  std::string model;
  std::string layer;
  std::string lab6;  // clamp or low8
  int fraction_length = 4;
  DataOptions data;
  std::string array = "8x8";
  std::string shape = "64x128x64";
  int bits = 8;
  bool packed = false;
  std::optional<int> lanes;
  std::optional<int> acc_width;
  int mantissa = 32;
  std::string rounding = "half_even";
  bool simulate = false;
  bool compare = false;
  bool prove = false;
  int limit = 600;  // seconds a proof
  bool synthesize = false;
  std::string device;
  double mhz = 0;  // asked for; 0: any
  std::string output;
  std::string html;
  int stalls = 30;
  int bytes_a_cycle = 0;
  std::int64_t outputs = 100'000;
  std::uint64_t seed = 1;
  std::string kept;
  bool json = false;
};

rtl::ProductShape shape_of(const RtlOptions& options);
// With memories for the shape, sums as wide as the shape's largest and, unless they were asked for, as many requantizers as drain a tile while
// the next one computes.
rtl::ArrayGeometry geometry_of(const RtlOptions& options);

int simulate_array(const RtlOptions& options);
int simulate_layer(const RtlOptions& options);
int run_lab6(const RtlOptions& options);
int synthesize_array(const RtlOptions& options);
int compare_designs(const RtlOptions& options);
int prove_library(const RtlOptions& options);

}  // namespace halftone::cli
