// Networks on samples that chose nothing.
#pragma once

#include "halftone/analysis/bit_search.h"

namespace halftone::analysis {

// Classes by sample, of which each is right where it is the label; of one sample at least.
Drop drop_between(const std::vector<std::int32_t>& before, const std::vector<std::int32_t>& after,
                  const std::vector<std::int32_t>& labels);

class HeldOut {
 public:
  explicit HeldOut(const BitSearch& search);

  double float_accuracy() const { return drop_of(float_).accuracy; }
  Drop simulated(const quant::Recipe& recipe, const std::string& title) const;
  Drop integers(const ptq::Integers& model) const;
  ptq::Integers quantized(const quant::Recipe& recipe, const std::string& title) const;

 private:
  std::vector<std::int32_t> predictions(const ir::Executor& network, const std::string& title) const;
  Drop drop_of(const std::vector<std::int32_t>& predicted) const;

  const BitSearch& search_;
  std::vector<std::int32_t> float_;
};

}  // namespace halftone::analysis
