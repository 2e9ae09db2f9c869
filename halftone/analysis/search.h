// The best assignments of formats to a network's layers, when each choice has its cost and its harm and both
// add up.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace halftone::analysis {

// Layers whose inputs share a scale, and so their bits.
struct SearchGroup {
  struct Layer {
    std::vector<double> harm;               // by choice of its weights
    std::vector<std::vector<double>> cost;  // by choice of its weights, by choice of the inputs
  };
  std::vector<double> input_harm;  // by choice of the inputs; one at least
  std::vector<Layer> layers;
};

// The choice of a group: places in its tables.
struct GroupChoice {
  std::size_t input = 0;
  std::vector<std::size_t> weights;  // by layer
  bool operator==(const GroupChoice&) const = default;
};

struct Assigned {
  double cost = 0.0;
  double harm = 0.0;
  std::vector<GroupChoice> groups;
  bool operator==(const Assigned&) const = default;
};

// The assignments that are best for some exchange rate λ ≥ 0: minimal in harm + λ·cost (Shoham & Gersho,
// "Efficient bit allocation for an arbitrary set of quantizers", IEEE TASSP 36, 1988), which are those on the
// lower convex hull of all assignments. From the cheapest to the least harmful, costs rising and harms
// falling strictly; every corner of the hull is among them, and from one to the next one group changes. Exact
// but for the rounding of sums; time grows with the number of choices, not of assignments.
std::vector<Assigned> convex_front(std::span<const SearchGroup> groups);

}  // namespace halftone::analysis
