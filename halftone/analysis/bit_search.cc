#include "halftone/analysis/bit_search.h"

#include <fmt/format.h>

#include "halftone/analysis/choice_harm.h"
#include "halftone/analysis/held_out.h"

namespace halftone::analysis {
namespace {

constexpr std::size_t kSpread = 9;  // points of the front that are measured whatever is asked for

class Choosing {
 public:
  Choosing(const BitSearch& search, SearchResult& result) : search_(search), result_(result), held_out_(search) {
    result_.float_accuracy = held_out_.float_accuracy();
    result_.start = held_out_.simulated(search.recipe, "all as they start");
  }

  void run() {
    const std::size_t last = result_.front.size() - 1;
    for (std::size_t i = 0; i < kSpread; ++i) measure(i * last / (kSpread - 1));
    if (search_.max_drop) choose_by_drop();
    if (search_.limit) choose_by_cost();
  }

 private:
  quant::Recipe recipe_of(std::size_t i) const {
    return with_bits(search_.recipe, search_.groups, result_.front[i].assigned.groups);
  }

  double measure(std::size_t i) {
    std::optional<Drop>& drop = result_.front[i].drop;
    if (!drop) drop = held_out_.simulated(recipe_of(i), fmt::format("point {} of the front", i + 1));
    return drop->points;
  }

  bool is_held(std::size_t i) { return measure(i) <= *search_.max_drop; }

  // The chosen one in integers.
  void take(std::size_t i) {
    result_.recipe = recipe_of(i);
    result_.model = held_out_.quantized(result_.recipe, "the chosen one");
    result_.chosen_drop = held_out_.integers(*result_.model);
    result_.chosen = i;
  }

  // Between the cheapest point that is known to hold and the one before it that is not; what then does not
  // hold in integers leaves the choice to the next.
  void choose_by_drop() {
    std::size_t high = 0;
    std::size_t low = 0;
    for (; high < result_.front.size() && !(result_.front[high].drop && is_held(high)); ++high)
      if (result_.front[high].drop) low = high;
    while (high < result_.front.size() && high > low + 1) {
      const std::size_t middle = (low + high) / 2;
      (is_held(middle) ? high : low) = middle;
    }
    for (; high < result_.front.size(); ++high) {
      if (!is_held(high)) continue;
      take(high);
      if (result_.chosen_drop.points <= *search_.max_drop) return;
    }
    result_.chosen.reset();
  }

  void choose_by_cost() {
    std::size_t i = result_.front.size() - 1;
    while (i > 0 && result_.front[i].assigned.cost > *search_.limit) --i;
    measure(i);
    take(i);
  }

  const BitSearch& search_;
  SearchResult& result_;
  HeldOut held_out_;
};

}  // namespace

SearchResult search_bits(const BitSearch& search) {
  const ChoiceHarms harms = measure_choices(search);
  SearchResult result{.start_harm = harms.start};
  for (Assigned& assigned : convex_front(harms.groups)) {
    assigned.harm += harms.start;
    assigned.cost += search.fixed_cost;
    result.front.push_back({std::move(assigned), std::nullopt});
  }
  Choosing(search, result).run();
  return result;
}

}  // namespace halftone::analysis
