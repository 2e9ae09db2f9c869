// Times of the engine's kernels on matrices alone, for `halftone bench --gemm`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/bench_row.h"

namespace halftone::cli {

struct GemmSizes {
  std::int64_t rows = 1;     // M
  std::int64_t depth = 1;    // K
  std::int64_t columns = 1;  // N
};

// "512x512x512,1x4096x4096": M×K×N. Throws UsageError naming `option`.
std::vector<GemmSizes> parse_gemms(const std::string& option, const std::string& text);

struct GemmRow {
  BenchRow row;
  int bits = 8;              // of the weights' integers
  int stored_bits = 8;       // that each takes
  double weight_rate = 0.0;  // bytes of weights a second
};

struct GemmOptions {
  std::vector<GemmSizes> sizes;
  std::vector<int> bits;           // the first is the one that ratios are of
  std::vector<kernels::Isa> isas;  // likewise
  double seconds = 2.0;            // for each size
  std::function<void(double)> progress;
};

// y[u8] = requantize(x[u8]·w[s8]) on one thread: on each instruction set with weights of each number of bits, and oneDNN's of 8 bits, where
// the program is built with it; else `skipped` says so.
std::vector<GemmRow> time_gemms(const GemmOptions& options, std::vector<std::string>& skipped);

nlohmann::json to_json(const GemmRow& row);
std::string text_of(const std::vector<GemmRow>& rows);

}  // namespace halftone::cli
