#include "halftone/analysis/search.h"

#include <algorithm>
#include <tuple>

namespace halftone::analysis {
namespace {

// A part of an assignment: of one layer, one group, or all.
struct Point {
  double cost = 0.0;
  double harm = 0.0;
  std::vector<std::size_t> picks;
};

// Points of a lower convex hull: costs rise, harms fall, slopes rise strictly.
using Hull = std::vector<Point>;

double slope(const Point& a, const Point& b) { return (b.harm - a.harm) / (b.cost - a.cost); }

Hull hull_of(std::vector<Point> points) {
  std::ranges::sort(points, {}, [](const Point& p) { return std::tie(p.cost, p.harm, p.picks); });
  Hull hull;
  for (Point& point : points) {
    if (!hull.empty() && point.harm >= hull.back().harm) continue;
    while (hull.size() > 1 && slope(hull[hull.size() - 2], hull.back()) >= slope(hull.back(), point))
      hull.pop_back();
    hull.push_back(std::move(point));
  }
  return hull;
}

// The hull of all sums, one point of each: their edges by slope, one after the other.
Hull together(const std::vector<Hull>& hulls) {
  struct Edge {
    double slope = 0.0;
    std::size_t part = 0;
    std::size_t to = 0;
  };
  std::vector<Edge> edges;
  std::vector<std::size_t> at(hulls.size(), 0);
  for (std::size_t h = 0; h < hulls.size(); ++h)
    for (std::size_t i = 1; i < hulls[h].size(); ++i)
      edges.push_back({slope(hulls[h][i - 1], hulls[h][i]), h, i});
  std::ranges::stable_sort(edges, {}, &Edge::slope);
  const auto sum = [&] {
    Point point;
    for (std::size_t h = 0; h < hulls.size(); ++h) {
      const Point& part = hulls[h][at[h]];
      point.cost += part.cost;
      point.harm += part.harm;
      point.picks.insert(point.picks.end(), part.picks.begin(), part.picks.end());
    }
    return point;
  };
  Hull result{sum()};
  for (const Edge& edge : edges) {
    at[edge.part] = edge.to;
    result.push_back(sum());
  }
  return result;
}

// Its picks: that of the inputs, then one a layer.
Hull hull_of_group(const SearchGroup& group) {
  std::vector<Point> all;
  for (std::size_t input = 0; input < group.input_harm.size(); ++input) {
    std::vector<Hull> parts{{Point{0.0, group.input_harm[input], {input}}}};
    for (const SearchGroup::Layer& layer : group.layers) {
      std::vector<Point> points;
      for (std::size_t w = 0; w < layer.harm.size(); ++w)
        points.push_back({layer.cost[w][input], layer.harm[w], {w}});
      parts.push_back(hull_of(std::move(points)));
    }
    std::ranges::move(together(parts), std::back_inserter(all));
  }
  return hull_of(std::move(all));
}

Assigned assigned_from(const Point& point, std::span<const SearchGroup> groups) {
  Assigned result{point.cost, point.harm, {}};
  auto pick = point.picks.begin();
  for (const SearchGroup& group : groups) {
    GroupChoice choice{.input = *pick++, .weights = {}};
    for (std::size_t l = 0; l < group.layers.size(); ++l) choice.weights.push_back(*pick++);
    result.groups.push_back(std::move(choice));
  }
  return result;
}

}  // namespace

std::vector<Assigned> convex_front(std::span<const SearchGroup> groups) {
  std::vector<Hull> parts;
  for (const SearchGroup& group : groups) parts.push_back(hull_of_group(group));
  std::vector<Assigned> front;
  for (const Point& point : together(parts)) front.push_back(assigned_from(point, groups));
  return front;
}

}  // namespace halftone::analysis
