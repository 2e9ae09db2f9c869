// Statistics of a calibration as a JSON file: made in parts, joined, and with ranges that a hand can set.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "halftone/quant/ranges.h"
#include "halftone/calibration/statistics.h"

namespace halftone::quant {

inline constexpr std::size_t kMostCalibrationBytes = std::size_t{256} << 20;

struct CalibrationFile {
  calibration::StatisticsTable seen;
  RangeTable set;          // by value: "range": [lo, hi], which no observer changes
  bool equalized = false;  // of the network after passes::equalize_cross_layer
  double svd = 0.0;        // and after passes::split_gemm to this rank; 0: not split
  std::map<std::int64_t, std::int64_t> samples;  // those seen, from each first to before its last; apart from each other
  std::int64_t total = 0;     // samples of all parts together; 0: not said
  std::string preprocessing;  // of pixels, in the words of the networks' metadata; empty: not said
  std::string network;        // digest_of the network; empty: not said, as in the files of a hand
  std::string data;           // digest of the first sample of all parts; empty: not said
};

// {"halftone_calibration": 1, "equalized": false, "svd": 0.0, "samples": [[first, last], …], "total": n, "preprocessing": TEXT, "network": DIGEST, "data": DIGEST, "values": {NAME: {"seen": [lo, hi], "zeros": n, "exponent": e,
// "bins": [[bin, count], …], "samples": [[index, lo, hi], …], "range": [lo, hi]}}}: the same text for the same
// statistics; "range" only where one is set; "total", "preprocessing" and the digests where they are said. Throws UnsupportedError for
// what could not be read back: more than 16,384 values or kMostCalibrationBytes, and names that are not UTF-8.
std::string to_json(const CalibrationFile& file);

// Throws InputError naming `where` and the value for what such a file cannot hold: among others a key twice, a bin or
// sample twice, a count or sample outside what was seen, and anything behind the end.
CalibrationFile calibration_from_json(std::string_view text, const std::string& where);

// A digest of what a network computes with: its operators' names and its constants.
std::string digest_of(const ir::Graph& graph);

// Adds what another part saw, in any order. Throws InputError for parts that saw the same sample, were of another
// network, of other data or of pixels prepared otherwise, belong to another total, or set a range differently.
void join(CalibrationFile& all, const CalibrationFile& part, const std::string& where);

// The samples of the total that no part saw, from each first to before its last; none where the total is not said.
std::vector<std::pair<std::int64_t, std::int64_t>> missing_samples(const CalibrationFile& all);

}  // namespace halftone::quant
