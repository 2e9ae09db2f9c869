// The table of `halftone sweep` on disk: it grows cell by cell, and a second run goes on where it stands.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "halftone/analysis/sweep.h"
#include "halftone/report/csv.h"

namespace halftone::cli {

using SweepSettings = std::vector<std::pair<std::string, std::string>>;

// One cell: what it is called, and which of the networks it has.
struct SweepKey {
  std::vector<std::string> words;
  std::vector<bool> networks;
};

struct SweepLayout {
  std::string title;
  SweepSettings settings;
  std::vector<std::string> key_columns;
  std::vector<std::string> networks;  // what their columns begin with: "" for correct, accuracy
  std::vector<SweepKey> cells;
  std::int64_t samples = 0;
};

class SweepFile {
 public:
  // Takes over the cells of a file that is there. Throws UsageError naming the first setting in which it is
  // another table's, InputError when it is none or is damaged.
  SweepFile(std::string path, SweepLayout layout);

  std::vector<std::size_t> missing() const;
  // Writes the whole table anew, whole or not at all, its cells in the layout's order. Not thread-safe.
  void store(std::size_t cell, analysis::CellCounts counts);
  // Counts of a cell that is known.
  const analysis::CellCounts& counts(std::size_t cell) const { return counts_[cell].value(); }

 private:
  std::vector<std::string> columns() const;
  std::vector<std::string> row(std::size_t cell) const;
  void read(const report::Csv& csv);
  void expect_settings(const SweepSettings& found) const;
  analysis::CellCounts parse_row(const std::vector<std::string>& row, const SweepKey& key) const;

  std::string path_;
  SweepLayout layout_;
  std::vector<std::optional<analysis::CellCounts>> counts_;  // by cell
};

}  // namespace halftone::cli
