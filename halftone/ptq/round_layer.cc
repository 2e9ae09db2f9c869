#include "halftone/ptq/round_layer.h"

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/numeric/bias.h"
#include "halftone/ptq/measure_problem.h"
#include "halftone/ptq/rounding.h"

namespace halftone::ptq {
namespace {

constexpr double kDamping = 0.01;
constexpr int kScaleRounds = 5;

// The integers of one layer.
class LayerRounding {
 public:
  LayerRounding(const Walk& walk, std::size_t n, const quant::WeightRecipe& recipe, int steps, bool centred,
                std::optional<float> s_x, quant::QuantizedWeights& weights)
      : walk_(walk), n_(n), recipe_(recipe), steps_(steps), s_x_(s_x), weights_(weights),
        scale_index_(numeric::affine_index(weights.q.shape(), weights.params)) {
    for (std::int64_t g = 0; g < groups_of(node()); ++g) {
      problems_.push_back(measure_problem(walk, n, g, centred));
      expect_finite(problems_.back());
      damp(problems_.back(), kDamping);
      grids_.push_back(grids_of(g));
    }
  }

  void run() {
    for (std::size_t g = 0; g < problems_.size(); ++g) {
      const LayerProblem& problem = problems_[g];
      Rounded u = recipe_.rounding == quant::WeightRounding::adaround
                      ? round_adaptively(problem, grids_[g], steps_, walk_.threads())
                      : round_with_feedback(problem, grids_[g], walk_.threads());
      rounded_.push_back(with_response(problem, grids_[g], std::move(u), walk_.threads()));
      descend(problem, grids_[g], rounded_[g], walk_.threads());
      keep_better(g, with_response(problem, grids_[g], round_nearest(problem, grids_[g]), walk_.threads()));
    }
    const bool by_group = weights_.params.granularity == numeric::Granularity::group;
    if (!recipe_.power_of_two && recipe_.range != quant::WeightRange::fixed && !by_group)
      for (int round = 0; round < kScaleRounds && follow_scales(); ++round)
        for (std::size_t g = 0; g < problems_.size(); ++g)
          descend(problems_[g], grids_[g], rounded_[g], walk_.threads());
    write();
  }

 private:
  const ir::Node& node() const { return walk_.graph().nodes[n_]; }

  Grids grids_of(std::int64_t g) const {
    const numeric::QuantParams& params = weights_.params;
    const std::int64_t inputs = problems_[static_cast<std::size_t>(g)].inputs;
    Grids grids{.share = params.granularity == numeric::Granularity::group ? params.group_size : inputs};
    grids.per_channel = (inputs + grids.share - 1) / grids.share;
    const int step = recipe_.code == quant::WeightCode::binary ? 2 : 1;
    for (std::int64_t m = 0; m < problems_[static_cast<std::size_t>(g)].channels; ++m)
      for (std::int64_t k = 0; k < inputs; k += grids.share) {
        const std::size_t place = weight_place(walk_.graph(), node(), g, m, k);
        const numeric::Affine& affine = params.affine[static_cast<std::size_t>(scale_index_[place])];
        grids.all.push_back({affine.scale, params.format.qmin() - affine.zero_point,
                             params.format.qmax() - affine.zero_point, step});
      }
    return grids;
  }

  void expect_finite(const LayerProblem& problem) const {
    for (const std::vector<float>* all : {&problem.hessian, &problem.target})
      if (!std::ranges::all_of(*all, [](float v) { return std::isfinite(v); }))
        throw InputError(ir::describe(walk_.graph(), node()), "takes or gives values whose squares are not finite, on the samples given: rounding to the nearest takes them");
  }

  // The method is to do no channel harm.
  void keep_better(std::size_t g, const Rounding& nearest) {
    const LayerProblem& problem = problems_[g];
    for (std::int64_t m = 0; m < problem.channels; ++m) {
      if (forms_of(problem, grids_[g], m, rounded_[g]).loss() <= forms_of(problem, grids_[g], m, nearest).loss()) continue;
      const auto from = static_cast<std::ptrdiff_t>(m * problem.inputs);
      std::copy_n(nearest.u.begin() + from, problem.inputs, rounded_[g].u.begin() + from);
      std::copy_n(nearest.response.begin() + from, problem.inputs, rounded_[g].response.begin() + from);
    }
  }

  // The scale with the least error for the integers chosen: of each channel, or of all. Whether one changed.
  bool follow_scales() {
    std::vector<Forms> sums(weights_.params.affine.size());
    for (std::size_t g = 0; g < problems_.size(); ++g)
      for (std::int64_t m = 0; m < problems_[g].channels; ++m) {
        Forms& sum = sums[place(static_cast<std::int64_t>(g), m)];
        const Forms forms = forms_of(problems_[g], grids_[g], m, rounded_[g]);
        sum.quadratic += forms.quadratic;
        sum.linear += forms.linear;
      }
    std::vector<double> factors(sums.size(), 1.0);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      float& scale = weights_.params.affine[i].scale;
      const double best = sums[i].quadratic > 0.0 ? scale * (sums[i].linear / sums[i].quadratic) : 0.0;
      const auto rounded = static_cast<float>(best);
      // No more than a factor of two: what calibration did not see may still come.
      if (!(best > scale / 2.0) || !(best < scale * 2.0) || rounded == scale || !holds_bias(i, rounded)) continue;
      factors[i] = double{rounded} / scale;
      scale = rounded;
    }
    if (std::ranges::all_of(factors, [](double f) { return f == 1.0; })) return false;
    scale_by(factors);
    return true;
  }

  void scale_by(const std::vector<double>& factors) {
    for (std::size_t g = 0; g < grids_.size(); ++g) {
      const auto group = static_cast<std::int64_t>(g);
      grids_[g] = grids_of(group);
      std::vector<double>& response = rounded_[g].response;
      const auto inputs = static_cast<std::size_t>(problems_[g].inputs);
      for (std::size_t i = 0; i < response.size(); ++i)
        response[i] *= factors[place(group, static_cast<std::int64_t>(i / inputs))];
    }
  }

  // Whether the biases at scale i stay within 2^30 steps.
  bool holds_bias(std::size_t i, float scale) const {
    if (!s_x_ || weights_.bias.empty() || weights_.bias_bits != numeric::kWholeBias) return true;
    const std::span<const float> bias = quant::float_bias(walk_.graph(), node());
    const auto of_scale = weights_.params.affine.size() == 1 ? bias : bias.subspan(i, 1);
    return std::ranges::all_of(
        of_scale, [&](float b) { return numeric::weight_scale_for_bias(b, *s_x_, scale, false) == scale; });
  }

  std::size_t place(std::int64_t g, std::int64_t m) const {
    return weights_.params.affine.size() == 1 ? 0 : channel_place(walk_.graph(), node(), g, m);
  }

  std::int32_t zero_point(std::int64_t g, std::int64_t m, std::int64_t k) const {
    const Grid& grid = grids_[static_cast<std::size_t>(g)].at(m, static_cast<std::size_t>(k));
    return weights_.params.format.qmin() - grid.lo;
  }

  void write() {
    std::vector<std::int32_t> q(static_cast<std::size_t>(weights_.q.size()));
    for (std::size_t g = 0; g < problems_.size(); ++g)
      for (std::int64_t m = 0; m < problems_[g].channels; ++m)
        for (std::int64_t k = 0; k < problems_[g].inputs; ++k) {
          const auto group = static_cast<std::int64_t>(g);
          q[weight_place(walk_.graph(), node(), group, m, k)] =
              rounded_[g].u[static_cast<std::size_t>(m * problems_[g].inputs + k)] + zero_point(group, m, k);
        }
    weights_.q = numeric::from_int32(weights_.q.shape(), q, weights_.q.dtype());
  }

  const Walk& walk_;
  std::size_t n_;
  const quant::WeightRecipe& recipe_;
  int steps_;
  std::optional<float> s_x_;  // none: the inputs stay float
  quant::QuantizedWeights& weights_;
  std::vector<std::int32_t> scale_index_;   // by weight
  std::vector<LayerProblem> problems_;      // by group
  std::vector<Grids> grids_;                // by group
  std::vector<Rounding> rounded_;           // by group
};

}  // namespace

void round_layer(const Walk& walk, std::size_t n, const quant::WeightRecipe& recipe, int steps, bool centred, std::optional<float> s_x,
                 quant::QuantizedWeights& weights) {
  LayerRounding(walk, n, recipe, steps, centred, s_x, weights).run();
}

}  // namespace halftone::ptq
