// A table of word length and fraction length: the best of each row, and what the student report 'Lab 6' makes
// of the same cells.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "halftone/numeric/fixed_point.h"

namespace halftone::analysis {

struct FixedPointCell {
  numeric::FixedPoint format;
  std::int64_t correct = 0;                   // with the weights' real values q·2^−fl
  std::optional<std::int64_t> lab_correct{};  // with the integers themselves, where Lab 6 has this cell
};

// The cells of Lab 6's loops: wl 1 to 8 (its integers are int8), fl 1 to wl.
bool is_lab_cell(const numeric::FixedPoint& format);

// The cell of this word length with the most right answers, of equal ones that with the smallest fraction
// length; nullptr when there is none.
const FixedPointCell* best_of_row(std::span<const FixedPointCell> cells, int word_length);

// A row of Lab 6's table: the fraction length its search holds after this word length, and the right answers
// of the file it then writes.
struct LabRow {
  int word_length = 0;
  int fraction_length = 0;  // 0: none yet, when no answer was ever right
  std::optional<std::int64_t> correct;
};

// Its search: over word lengths in ascending order, in each over fraction lengths, a cell becomes the best
// one when it is strictly better than the best so far, which is never reset; the row takes the best fraction
// length so far at its own word length.
std::vector<LabRow> lab_rows(std::span<const FixedPointCell> cells);

// The word length from which on rows, of which there is one at least, keep the last one's fraction length.
int kept_since(std::span<const LabRow> rows);

}  // namespace halftone::analysis
