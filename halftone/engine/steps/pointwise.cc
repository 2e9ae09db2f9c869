// Functions of one element, or of two at the same place.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "halftone/engine/parts.h"
#include "halftone/engine/requantizations.h"
#include "halftone/engine/steps.h"
#include "halftone/ir/ops/broadcast.h"
#include "halftone/kernels/bytes/bytes.h"
#include "halftone/kernels/words/words.h"

namespace halftone::engine {
namespace {

// y's integer for each of x's, from x's least on.
using Entries = std::vector<std::int32_t>;

// Entries by channel, in stored form, for x as it is stored: index stored − least.
template <typename X, typename Y>
void look_up(const X* x, Y* y, const std::vector<std::int64_t>& from, const std::vector<std::int64_t>& to, const Entries& entries,
             std::int32_t least, std::int64_t channels, std::int64_t inner) {
  const std::size_t size = entries.size() / static_cast<std::size_t>(channels);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::size_t channel = static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner % channels);
    y[to[i]] = static_cast<Y>(entries[channel * size + static_cast<std::size_t>(static_cast<std::int32_t>(x[from[i]]) - least)]);
  }
}

// One table of bytes for bytes that stand in one order.
Work byte_table_step(const Entries& entries, std::int32_t least, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  std::array<std::uint8_t, 256> table{};
  for (std::int32_t stored = std::max(0, least); stored < 256 && static_cast<std::size_t>(stored - least) < entries.size(); ++stored)
    table[static_cast<std::size_t>(stored)] = static_cast<std::uint8_t>(entries[static_cast<std::size_t>(stored - least)]);
  return [table, x, y, look_up = kernels::byte_loops(isa).look_up](const Memory& memory) {
    const std::int64_t length = run_length(x->layout);
    for_runs(memory, x->layout, [&](std::int64_t run) {
      look_up(table.data(), x->read<std::uint8_t>(memory) + run_place(x->layout, run), y->write<std::uint8_t>(memory) + run_place(y->layout, run), length);
    });
  };
}

Work look_up_step(Entries entries, std::int32_t least, std::int64_t channels, std::int64_t inner, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  for (std::int32_t& entry : entries) entry -= y->layout.base;
  if (channels == 1 && x->layout.is_bytes() && y->layout.is_bytes() && have_one_order(x->layout, y->layout)) return byte_table_step(entries, least, isa, x, y);
  return [entries = std::move(entries), least, channels, inner, x, y, from = x->layout.places(), to = y->layout.places()](const Memory& memory) {
    with_type(x->layout, [&]<typename X>(X) {
      with_type(y->layout, [&]<typename Y>(Y) {
        for (std::int64_t s = 0; s < memory.samples; ++s)
          look_up(x->read<X>(memory) + s * x->layout.elements(), y->write<Y>(memory) + s * y->layout.elements(), from, to, entries, least, channels, inner);
      });
    });
  };
}

// Where operand and result elements stand, the operand read with broadcasting.
std::vector<std::int64_t> broadcast_places(const Layout& x, const Shape& y) {
  const std::vector<std::int64_t> own = x.places();
  std::vector<std::int64_t> places;
  for (std::int64_t i : ir::broadcast_index(x.shape, y)) places.push_back(own[static_cast<std::size_t>(i)]);
  return places;
}

// An operand of two, less its zero point.
struct Operand {
  SlotPointer slot;
  std::int32_t zero = 0;  // stored

  Operand(SlotPointer given, const numeric::Affine& affine) : slot(std::move(given)), zero(affine.zero_point - slot->layout.base) {}
};

bool are_bytes_in_one_order(const Operand& a, const Operand& b, const Slot& y) {
  const auto fits = [&](const Slot& x) { return x.layout.is_bytes() && have_one_order(x.layout, y.layout); };
  return y.layout.is_bytes() && fits(*a.slot) && fits(*b.slot);
}

// The rule of a sum that rounds half up, if that is what `sum` computes: roundings differ where a sum lies halfway, and all 65,536
// pairs are looked at for that.
template <typename F>
std::optional<kernels::AddRule> add_rule(const qgraph::Add& op, std::int32_t zero_a, std::int32_t zero_b, int shift,
                                         const numeric::OutputBounds& bounds, const F& sum) {
  constexpr int kLeast = 16;
  const int more = std::max(0, kLeast - shift);
  if (shift < 1 || shift > 40 || std::llabs(op.m_a) > INT32_MAX || std::llabs(op.m_b) > INT32_MAX) return std::nullopt;
  kernels::AddRule rule{.m_a = op.m_a << more, .m_b = op.m_b << more, .c = 0, .shift = shift + more, .lo = bounds.lo, .hi = bounds.hi};
  rule.c = -rule.m_a * zero_a - rule.m_b * zero_b + (std::int64_t{1} << (rule.shift - 1)) + (static_cast<std::int64_t>(bounds.zero_point) << rule.shift);
  if (!rule.is_supported()) return std::nullopt;
  if (op.requantizer.rounding == numeric::Rounding::floor) return std::nullopt;
  const std::int64_t below = (std::int64_t{1} << shift) - 1;
  const std::int64_t half = std::int64_t{1} << (shift - 1);
  for (std::int32_t p = 0; p < 256; ++p) {
    const std::int64_t of_a = op.m_a * (p - zero_a);
    int ties = 0;
    for (std::int32_t q = 0; q < 256; ++q) ties += ((of_a + op.m_b * (q - zero_b)) & below) == half ? 1 : 0;
    for (std::int32_t q = 0; q < 256 && ties > 0; ++q)
      if (rule(p, q) != static_cast<std::uint8_t>(sum(p - zero_a, q - zero_b))) return std::nullopt;
  }
  return rule;
}

Work byte_add_step(const kernels::AddRule& rule, kernels::Isa isa, SlotPointer a, SlotPointer b, SlotPointer y) {
  return [rule, a, b, y, add = kernels::byte_loops(isa).add](const Memory& memory) {
    const std::int64_t length = run_length(y->layout);
    for_runs(memory, y->layout, [&](std::int64_t run) {
      add(a->read<std::uint8_t>(memory) + run_place(a->layout, run), b->read<std::uint8_t>(memory) + run_place(b->layout, run),
          y->write<std::uint8_t>(memory) + run_place(y->layout, run), length, rule);
    });
  };
}

// f of all pairs of bytes in a table, for operands that stand in one order.
template <typename F>
Work byte_pair_step(const Operand& a, const Operand& b, SlotPointer y, F f) {
  std::vector<std::uint8_t> table(1 << 16);
  for (std::int32_t p = 0; p < 256; ++p)
    for (std::int32_t q = 0; q < 256; ++q) table[static_cast<std::size_t>(p << 8 | q)] = static_cast<std::uint8_t>(f(p - a.zero, q - b.zero));
  return [table = std::move(table), a = a.slot, b = b.slot, y](const Memory& memory) {
    const std::int64_t length = run_length(y->layout);
    for_runs(memory, y->layout, [&](std::int64_t run) {
      const std::uint8_t* left = a->read<std::uint8_t>(memory) + run_place(a->layout, run);
      const std::uint8_t* right = b->read<std::uint8_t>(memory) + run_place(b->layout, run);
      std::uint8_t* to = y->write<std::uint8_t>(memory) + run_place(y->layout, run);
      for (std::int64_t i = 0; i < length; ++i) to[i] = table[static_cast<std::size_t>(left[i] << 8 | right[i])];
    });
  };
}

// Calls body(left, right, result) with the types that hold the elements.
template <typename F>
void with_types(const Slot& a, const Slot& b, const Slot& y, F&& body) {
  with_type(a.layout, [&]<typename A>(A left) {
    with_type(b.layout, [&]<typename B>(B right) { with_type(y.layout, [&]<typename Y>(Y result) { body(left, right, result); }); });
  });
}

// y[i] = f(a[i] − z_a, b[i] − z_b), the operands in one order.
template <typename F>
Work pair_in_order_step(Operand a, Operand b, SlotPointer y, F f) {
  return [a, b, y, f](const Memory& memory) {
    const std::int64_t length = run_length(y->layout);
    with_types(*a.slot, *b.slot, *y, [&]<typename A, typename B, typename Y>(A, B, Y) {
      for_runs(memory, y->layout, [&](std::int64_t run) {
        const A* left = a.slot->read<A>(memory) + run_place(a.slot->layout, run);
        const B* right = b.slot->read<B>(memory) + run_place(b.slot->layout, run);
        Y* to = y->write<Y>(memory) + run_place(y->layout, run);
        for (std::int64_t i = 0; i < length; ++i)
          to[i] = static_cast<Y>(f(static_cast<std::int32_t>(left[i]) - a.zero, static_cast<std::int32_t>(right[i]) - b.zero));
      });
    });
  };
}

// The same, the operands read with broadcasting.
template <typename F>
Work pair_step(Operand a, Operand b, SlotPointer y, F f) {
  if (are_bytes_in_one_order(a, b, *y)) return byte_pair_step(a, b, y, f);
  if (have_one_order(a.slot->layout, y->layout) && have_one_order(b.slot->layout, y->layout)) return pair_in_order_step(a, b, y, f);
  return [a, b, y, of_a = broadcast_places(a.slot->layout, y->layout.shape), of_b = broadcast_places(b.slot->layout, y->layout.shape),
          to = y->layout.places(), f](const Memory& memory) {
    with_types(*a.slot, *b.slot, *y, [&]<typename A, typename B, typename Y>(A, B, Y) {
      for (std::int64_t s = 0; s < memory.samples; ++s) {
        const A* left = a.slot->read<A>(memory) + s * a.slot->layout.elements();
        const B* right = b.slot->read<B>(memory) + s * b.slot->layout.elements();
        Y* result = y->write<Y>(memory) + s * y->layout.elements();
        for (std::size_t i = 0; i < to.size(); ++i)
          result[to[i]] = static_cast<Y>(f(static_cast<std::int32_t>(left[of_a[i]]) - a.zero, static_cast<std::int32_t>(right[of_b[i]]) - b.zero));
      }
    });
  };
}

// The integer of a float that holds the zero point already; bounds and result in stored form.
std::int32_t rounded(float value, const numeric::OutputBounds& bounds, std::int32_t base) {
  const double q = std::nearbyint(static_cast<double>(value)) - base;
  return static_cast<std::int32_t>(std::clamp<double>(q, bounds.lo, bounds.hi));
}

// Whether a and b change places in arithmetic onnx: docs/arithmetic.md section 7, Add.
bool exchanges(const Shape& a, const Shape& b) {
  for (std::size_t back = 1; back <= std::max(a.size(), b.size()); ++back) {
    const std::int64_t of_a = back > a.size() ? 1 : a[a.size() - back];
    const std::int64_t of_b = back > b.size() ? 1 : b[b.size() - back];
    if (of_a != 1 || of_b != 1) return of_a == 1;
  }
  return true;
}

Work real_add_step(const qgraph::Add& op, SlotPointer a, SlotPointer b, SlotPointer y, const numeric::OutputBounds& bounds) {
  const std::int32_t base = y->layout.base;
  const auto z_y = static_cast<float>(op.y.zero_point);
  if (op.subtract) {
    return pair_step(Operand(a, op.a), Operand(b, op.b), y,
                     [=, s_a = op.a.scale, s_b = op.b.scale, s_y = op.y.scale, z = op.y.zero_point](std::int32_t p, std::int32_t q) {
                       const float difference = s_a * static_cast<float>(p) - s_b * static_cast<float>(q);
                       const double rounded_q = std::nearbyint(static_cast<double>(difference / s_y)) + z - base;
                       return static_cast<std::int32_t>(std::clamp<double>(rounded_q, bounds.lo, bounds.hi));
                     });
  }
  const bool exchanged = exchanges(a->layout.shape, b->layout.shape);
  const numeric::Affine left = exchanged ? op.b : op.a;
  const numeric::Affine right = exchanged ? op.a : op.b;
  const float r_a = left.scale / op.y.scale;
  const float r_b = right.scale / op.y.scale;
  const float rest = z_y - std::fma(r_a, static_cast<float>(left.zero_point), r_b * static_cast<float>(right.zero_point));
  return pair_step(Operand(exchanged ? b : a, left), Operand(exchanged ? a : b, right), y,
                   [=](std::int32_t p, std::int32_t q) {
                     const float inner = std::fma(static_cast<float>(q + right.zero_point), r_b, rest);
                     return rounded(std::fma(static_cast<float>(p + left.zero_point), r_a, inner), bounds, base);
                   });
}

// Words that stand in one order.
Work word_add_step(const kernels::SumRule& rule, kernels::Isa isa, SlotPointer a, SlotPointer b, SlotPointer y) {
  return [rule, a, b, y, add = kernels::add_words(isa)](const Memory& memory) {
    const std::int64_t length = run_length(y->layout);
    for_runs(memory, y->layout, [&](std::int64_t run) {
      add(a->read<std::int16_t>(memory) + run_place(a->layout, run), b->read<std::int16_t>(memory) + run_place(b->layout, run),
          y->write<std::int16_t>(memory) + run_place(y->layout, run), length, rule);
    });
  };
}

bool are_words_in_one_order(const Slot& a, const Slot& b, const Slot& y) {
  const auto fits = [&](const Slot& x) { return !x.layout.is_bytes() && have_one_order(x.layout, y.layout); };
  return !y.layout.is_bytes() && fits(a) && fits(b);
}

}  // namespace

Work table_step(const qgraph::Table& op, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  const std::int64_t inner = op.channels == 1 ? 1 : product(x->layout.shape, 2, x->layout.shape.size());
  return look_up_step(op.entries, op.x_qmin - x->layout.base, op.channels, std::max<std::int64_t>(1, inner), isa, x, y);
}

Work requantize_step(const qgraph::Requantize& op, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  const numeric::IntegerFormat& format = x->layout.grid->format;
  const kernels::Requantization end = requantization_of(op.requantizer, 1, y->layout);
  Entries entries;
  for (std::int32_t q = format.qmin(); q <= format.qmax(); ++q) entries.push_back(end(q - op.x_zero_point, 0) + y->layout.base);
  return look_up_step(std::move(entries), format.qmin() - x->layout.base, 1, 1, isa, x, y);
}

Work add_step(const qgraph::Add& op, kernels::Isa isa, SlotPointer a, SlotPointer b, SlotPointer y) {
  numeric::OutputBounds bounds = op.requantizer.bounds;
  bounds = {bounds.zero_point - y->layout.base, bounds.lo - y->layout.base, bounds.hi - y->layout.base};
  if (op.requantizer.is_float()) return real_add_step(op, a, b, y, bounds);
  const Operand left(a, op.a);
  const Operand right(b, op.b);
  const int shift = std::get<qgraph::Shift>(op.requantizer.scaling).shift.at(0);
  const auto sum = [=, m_a = op.m_a, m_b = op.m_b, rounding = op.requantizer.rounding](std::int32_t p, std::int32_t q) {
    return numeric::requantize_shift(m_a * p + m_b * q, shift, bounds, rounding);
  };
  if (are_bytes_in_one_order(left, right, *y))
    if (const auto rule = add_rule(op, left.zero, right.zero, shift, bounds, sum)) return byte_add_step(*rule, isa, a, b, y);
  const kernels::SumRule rule{op.m_a, op.m_b, -op.m_a * left.zero - op.m_b * right.zero, shift, op.requantizer.rounding, bounds};
  if (are_words_in_one_order(*a, *b, *y) && shift >= 1 && shift <= 62) return word_add_step(rule, isa, a, b, y);
  return pair_step(left, right, y, sum);
}

Work mul_step(const qgraph::Mul& op, SlotPointer a, SlotPointer b, SlotPointer y) {
  const kernels::Requantization end = requantization_of(op.requantizer, 1, y->layout);
  const Operand left(a, op.a);
  const Operand right(b, op.b);
  if (!end.is_float())
    return pair_step(left, right, y, [end](std::int32_t p, std::int32_t q) { return end(std::int64_t{p} * q, 0); });
  return pair_step(left, right, y, [end, base = y->layout.base, z = static_cast<float>(op.y.zero_point)](std::int32_t p, std::int32_t q) {
    const float scaled = static_cast<float>(std::int64_t{p} * q) * end.M[0];
    return rounded(scaled + z, end.bounds, base);
  });
}

Work extreme_step(const qgraph::Extreme& op, std::vector<SlotPointer> x, SlotPointer y) {
  std::vector<std::vector<std::int64_t>> places;
  for (const SlotPointer& each : x) places.push_back(broadcast_places(each->layout, y->layout.shape));
  return [largest = op.largest, x, y, places, to = y->layout.places()](const Memory& memory) {
    with_type(y->layout, [&]<typename T>(T) {
      for (std::int64_t s = 0; s < memory.samples; ++s) {
        T* result = y->write<T>(memory) + s * y->layout.elements();
        for (std::size_t i = 0; i < to.size(); ++i) {
          const auto at = [&](std::size_t n) { return x[n]->read<T>(memory)[s * x[n]->layout.elements() + places[n][i]]; };
          T best = at(0);
          for (std::size_t n = 1; n < x.size(); ++n) best = largest ? std::max(best, at(n)) : std::min(best, at(n));
          result[to[i]] = best;
        }
      }
    });
  };
}

}  // namespace halftone::engine
