#include "halftone/analysis/fixed_point_table.h"

#include <algorithm>
#include <set>

namespace halftone::analysis {
namespace {

constexpr int kLabWord = 8;

std::vector<const FixedPointCell*> row_of(std::span<const FixedPointCell> cells, int word_length) {
  std::vector<const FixedPointCell*> row;
  for (const FixedPointCell& cell : cells)
    if (cell.format.word_length == word_length) row.push_back(&cell);
  std::ranges::sort(row, {}, [](const FixedPointCell* cell) { return cell->format.fraction_length; });
  return row;
}

}  // namespace

bool is_lab_cell(const numeric::FixedPoint& format) {
  return format.word_length <= kLabWord && format.fraction_length >= 1 &&
         format.fraction_length <= format.word_length;
}

const FixedPointCell* best_of_row(std::span<const FixedPointCell> cells, int word_length) {
  const FixedPointCell* best = nullptr;
  for (const FixedPointCell* cell : row_of(cells, word_length))
    if (best == nullptr || cell->correct > best->correct) best = cell;
  return best;
}

std::vector<LabRow> lab_rows(std::span<const FixedPointCell> cells) {
  std::set<int> word_lengths;
  for (const FixedPointCell& cell : cells)
    if (cell.lab_correct) word_lengths.insert(cell.format.word_length);
  std::vector<LabRow> rows;
  std::int64_t best = 0;
  int best_fraction = 0;
  for (int wl : word_lengths) {
    LabRow row{.word_length = wl};
    const auto cells_of_row = row_of(cells, wl);
    for (const FixedPointCell* cell : cells_of_row) {
      if (!cell->lab_correct || *cell->lab_correct <= best) continue;
      best = *cell->lab_correct;
      best_fraction = cell->format.fraction_length;
    }
    row.fraction_length = best_fraction;
    for (const FixedPointCell* cell : cells_of_row)
      if (cell->format.fraction_length == best_fraction) row.correct = cell->lab_correct;
    rows.push_back(row);
  }
  return rows;
}

int kept_since(std::span<const LabRow> rows) {
  std::size_t i = rows.size() - 1;
  while (i > 0 && rows[i - 1].fraction_length == rows.back().fraction_length) --i;
  return rows[i].word_length;
}

}  // namespace halftone::analysis
