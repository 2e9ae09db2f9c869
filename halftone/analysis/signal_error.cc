#include "halftone/analysis/signal_error.h"

#include <cmath>

namespace halftone::analysis {

void SignalSums::add(std::span<const float> x, std::span<const float> x_hat) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double a = x[i];
    const double b = x_hat[i];
    const double d = a == b ? 0.0 : a - b;  // equal infinities differ by nothing
    xx += a * a;
    yy += b * b;
    xy += a * b;
    dd += d * d;
  }
  count += static_cast<std::int64_t>(x.size());
}

void SignalSums::add(const SignalSums& other) {
  xx += other.xx;
  yy += other.yy;
  xy += other.xy;
  dd += other.dd;
  count += other.count;
}

double SignalSums::sqnr() const {
  if (dd == 0.0) return INFINITY;
  return 10.0 * std::log10(xx / dd);
}

double SignalSums::cosine() const {
  const double norms = std::sqrt(xx) * std::sqrt(yy);
  return norms == 0.0 ? (xx == yy ? 1.0 : 0.0) : xy / norms;
}

double SignalSums::relative_rms() const { return dd == 0.0 ? 0.0 : std::sqrt(dd) / std::sqrt(xx); }

SignalSums signal_sums(const Tensor& x, const Tensor& x_hat) {
  SignalSums sums;
  sums.add(x.cast(DType::float32).data<float>(), x_hat.cast(DType::float32).data<float>());
  return sums;
}

}  // namespace halftone::analysis
