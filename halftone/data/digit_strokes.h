// How each digit is written: the strokes of several hands.
#pragma once

#include <span>
#include <vector>

namespace halftone::data {

// A point a stroke passes through, in a box with x to the right and y down, both about 0 to 1. The stroke is
// smooth except at a corner.
struct StrokePoint {
  float x;
  float y;
  bool corner = false;
};

using Stroke = std::vector<StrokePoint>;
using Glyph = std::vector<Stroke>;

// The ways of writing `digit` (0 to 9); at least two.
std::span<const Glyph> glyphs_of(int digit);

}  // namespace halftone::data
