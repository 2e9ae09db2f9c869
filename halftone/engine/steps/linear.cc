// Layers whose sums fit int32, of bytes or words, on the kernels of an instruction set.
#include <algorithm>
#include <numeric>

#include "halftone/engine/parts.h"
#include "halftone/engine/requantizations.h"
#include "halftone/engine/steps.h"
#include "halftone/kernels/depthwise/depthwise.h"
#include "halftone/kernels/linear/linear.h"
#include "halftone/kernels/winograd/winograd.h"

namespace halftone::engine {
namespace {

// Rows of a window that lie inside the plane.
struct WindowRows {
  std::int64_t first = 0;
  std::int64_t count = 0;
  bool operator==(const WindowRows&) const = default;
};

WindowRows rows_inside(const ir::WindowAxis& axis, std::int64_t out) {
  WindowRows rows{axis.kernel, 0};
  for (std::int64_t k = 0; k < axis.kernel; ++k) {
    const std::int64_t at = out * axis.stride - axis.pad_begin + k * axis.dilation;
    if (at < 0 || at >= axis.in) continue;
    rows.first = std::min(rows.first, k);
    rows.count = k + 1 - rows.first;
  }
  return rows;
}

// By output row: which of `kinds` its window is, -1 where it lies inside as a whole, or not at all.
std::vector<std::int64_t> row_kinds(const ir::WindowAxis& axis, std::vector<WindowRows>& kinds) {
  std::vector<std::int64_t> result;
  for (std::int64_t out = 0; out < axis.out; ++out) {
    const WindowRows rows = rows_inside(axis, out);
    if (rows.count == 0 || rows.count == axis.kernel) {
      result.push_back(-1);
      continue;
    }
    const auto known = std::ranges::find(kinds, rows);
    result.push_back(known - kinds.begin());
    if (known == kinds.end()) kinds.push_back(rows);
  }
  return result;
}

// Weights of bytes beyond a signed byte are the sum of two that are none: each tap is then read twice.
constexpr std::int32_t kMostWeight = 254;

kernels::Stored stored(const Layout& layout) { return layout.element == 1 ? kernels::Stored::bytes : kernels::Stored::words; }

// Places and pitches of a layout, in bytes.
std::int64_t bytes_of(const Layout& layout, std::int64_t elements) { return elements * static_cast<std::int64_t>(layout.element); }

// Weights [M][T][K] of one group, in the order in which a run of pixels meets them.
struct TapWeights {
  std::int64_t channels = 0;
  std::int64_t depth = 0;
  std::vector<std::ptrdiff_t> taps;  // bytes from a pixel
  std::vector<std::int16_t> w;       // centred
  std::int64_t taps_a_row = 1;       // of a window
  std::vector<WindowRows> rows = {}; // that some outputs see alone
  std::ptrdiff_t pixel = 0;          // bytes from one pixel to the next, where results of neighbours follow one another
};

// One kernel for some channels of a layer.
struct PackedGroup {
  std::vector<std::ptrdiff_t> taps;
  bool has_ranges = false;
  std::shared_ptr<const kernels::Linear> linear;
  std::shared_ptr<const kernels::Winograd> winograd;  // or this one
};

enum class Kernels { linear, depthwise, winograd };  // that are asked first

// w of the second half behind each channel's first: [M][2T][K].
std::vector<std::int16_t> in_two(const TapWeights& weights) {
  const auto row = static_cast<std::ptrdiff_t>(weights.taps.size()) * weights.depth;
  const auto half = [](std::int16_t w) { return std::clamp<std::int16_t>(w, -127, 127); };
  std::vector<std::int16_t> both(2 * weights.w.size());
  auto to = both.begin();
  for (auto from = weights.w.begin(); from != weights.w.end(); from += row) {
    to = std::transform(from, from + row, to, half);
    to = std::transform(from, from + row, to, [&](std::int16_t w) { return static_cast<std::int16_t>(w - half(w)); });
  }
  return both;
}

template <typename T>
std::vector<T> part(const std::vector<T>& all, std::int64_t first, std::int64_t count) {
  return all.empty() ? all : std::vector<T>(all.begin() + first, all.begin() + first + count);
}

// Σ_k w of each channel's taps, [M][T].
std::vector<std::int64_t> tap_sums(const TapWeights& weights) {
  std::vector<std::int64_t> sums;
  sums.reserve(static_cast<std::size_t>(weights.channels) * weights.taps.size());
  const std::int16_t* w = weights.w.data();
  for (std::size_t i = 0; i < static_cast<std::size_t>(weights.channels) * weights.taps.size(); ++i, w += weights.depth) {
    std::uint32_t sum = 0;  // wraps, as the layer's sums do
    for (std::int64_t k = 0; k < weights.depth; ++k) sum += static_cast<std::uint32_t>(w[k]);
    sums.push_back(static_cast<std::int32_t>(sum));
  }
  return sums;
}

// b − z·Σw, wrapped: z is x's zero point as it is stored.
std::int32_t folded_bias(std::int64_t bias, std::int64_t zero, std::span<const std::int64_t> sums) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(bias - zero * std::accumulate(sums.begin(), sums.end(), std::int64_t{0})));
}

// Outside of their taps x is the zero point: its products and what the bias takes away for them are left out together.
std::vector<kernels::TapRange> ranges_of(const TapWeights& weights, const std::vector<std::int64_t>& sums, std::span<const std::int64_t> bias, std::int32_t zero) {
  std::vector<kernels::TapRange> ranges;
  const std::size_t taps = weights.taps.size();
  for (const WindowRows& rows : weights.rows) {
    kernels::TapRange range{rows.first * weights.taps_a_row, rows.count * weights.taps_a_row, {}};
    for (std::size_t m = 0; m < bias.size(); ++m)
      range.bias.push_back(folded_bias(bias[m], zero, std::span(sums).subspan(m * taps + static_cast<std::size_t>(range.first), static_cast<std::size_t>(range.count))));
    ranges.push_back(std::move(range));
  }
  return ranges;
}

// `first`: the first of the group's channels in the layer; `zero` the stored zero point of x.
PackedGroup packed(TapWeights weights, const qgraph::Linear& linear, std::int64_t first, std::int32_t zero, kernels::Isa isa, const Layout& x,
                   const Layout& y, Kernels kind = Kernels::linear) {
  const std::span<const std::int64_t> given = std::span(linear.bias).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(weights.channels));
  const std::vector<std::int64_t> sums = tap_sums(weights);
  const std::size_t taps = weights.taps.size();
  std::vector<std::int32_t> bias;
  for (std::size_t m = 0; m < given.size(); ++m) bias.push_back(folded_bias(given[m], zero, std::span(sums).subspan(m * taps, taps)));
  kernels::Requantization end = requantization_of(linear.requantizer, linear.channels, y);
  end.m = part(end.m, first, weights.channels);
  end.shift = part(end.shift, first, weights.channels);
  end.M = part(end.M, first, weights.channels);
  const bool one = stored(x) == kernels::Stored::words || std::ranges::all_of(weights.w, [](int w) { return w >= -128 && w <= 127; });
  PackedGroup group{.taps = weights.taps};
  if (!one) group.taps.insert(group.taps.end(), weights.taps.begin(), weights.taps.end());
  const std::vector<std::int64_t> bound = part(linear.bound, first, weights.channels);
  const std::vector<kernels::TapRange> ranges = one ? ranges_of(weights, sums, given, zero) : std::vector<kernels::TapRange>{};
  group.has_ranges = !ranges.empty();
  if (!one) weights.w = in_two(weights);
  const kernels::LinearWeights all{weights.channels, static_cast<std::int64_t>(group.taps.size()), weights.depth, weights.w, bias, bound, ranges, stored(x), stored(y), weights.pixel};
  if (kind == Kernels::winograd && one) group.winograd = kernels::pack_winograd(isa, all, end);
  if (!group.winograd) group.linear = kind == Kernels::depthwise ? kernels::pack_depthwise(isa, all, end) : kernels::pack_linear(isa, all, end);
  return group;
}

// Calls each(row) for channels [first, first + count), whose weights fit 16 bits.
template <typename F>
void for_rows(const qgraph::Linear& linear, std::int64_t first, std::int64_t count, F&& each) {
  std::vector<std::int32_t> row(static_cast<std::size_t>(linear.reduction));
  for (std::int64_t m = first; m < first + count; ++m) {
    qgraph::centred_row(linear, m, row);
    each(row);
  }
}

// The weights [M/G][C/G][kh][kw] of group g. Elements of a window's row that stand side by side are one tap.
TapWeights taps_of(const qgraph::Conv& op, std::int64_t g, const Layout& x, const Layout& y, const std::vector<WindowRows>& windows) {
  const std::int64_t channels = op.linear.channels / op.groups;
  const std::int64_t depth = x.channels() / op.groups;
  const std::int64_t rows = op.axes[0].kernel;
  const std::int64_t columns = op.axes[1].kernel;
  const bool whole_rows = op.groups == 1 && (op.axes[1].dilation == 1 || columns == 1);
  TapWeights result{.channels = channels, .depth = whole_rows ? columns * depth : depth, .taps = {}, .w = {}, .taps_a_row = whole_rows ? 1 : columns, .rows = windows,
                    .pixel = op.groups == 1 && y.joined_channels == 0 ? bytes_of(x, op.axes[1].stride * x.pixel_pitch()) : 0};
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < (whole_rows ? 1 : columns); ++c)
      result.taps.push_back(bytes_of(x, r * op.axes[0].dilation * x.row_pitch() + c * op.axes[1].dilation * x.channels()));
  result.w.resize(static_cast<std::size_t>(channels * op.linear.reduction));
  std::int16_t* to = result.w.data();
  for_rows(op.linear, g * channels, channels, [&](const std::vector<std::int32_t>& row) {
    for (std::int64_t t = 0; t < rows * columns; ++t)
      for (std::int64_t k = 0; k < depth; ++k) *to++ = static_cast<std::int16_t>(row[static_cast<std::size_t>(k * rows * columns + t)]);
  });
  return result;
}

// All rows as they are.
std::vector<std::int16_t> rows_of(const qgraph::Linear& linear) {
  std::vector<std::int16_t> w(static_cast<std::size_t>(linear.channels * linear.reduction));
  auto to = w.begin();
  for_rows(linear, 0, linear.channels, [&](const std::vector<std::int32_t>& row) { to = std::ranges::transform(row, to, [](std::int32_t v) { return static_cast<std::int16_t>(v); }).out; });
  return w;
}

// Whether each channel has a window of its own, and no other. Words go as groups.
bool is_depthwise(const qgraph::Conv& op, const Layout& x, const Layout& y) {
  return op.groups > 1 && op.groups == op.linear.channels && op.groups == x.channels() && x.is_bytes() && y.is_bytes();
}

// All channels of a depthwise layer as one group: weights [C][T].
TapWeights depthwise_taps(const qgraph::Conv& op, const Layout& x) {
  TapWeights result{.channels = op.linear.channels, .depth = 1, .taps = {}, .w = rows_of(op.linear)};
  for (std::int64_t r = 0; r < op.axes[0].kernel; ++r)
    for (std::int64_t c = 0; c < op.axes[1].kernel; ++c)
      result.taps.push_back(r * op.axes[0].dilation * x.row_pitch() + c * op.axes[1].dilation * x.channels());
  return result;
}

// Windows whose products neighbours share, in a plane of more than a few tiles.
bool has_small_windows(const qgraph::Conv& op, const Layout& x, const Layout& y) {
  constexpr std::int64_t kFew = 4;
  return op.groups == 1 && x.is_bytes() && y.is_bytes() && std::ranges::all_of(op.axes, [](const ir::WindowAxis& a) { return a.kernel == 3 && a.stride == 1 && a.dilation == 1 && a.out > kFew; });
}

// Whether all pixels of all images follow one another in x and y, and each output reads its own.
bool is_one_run(const qgraph::Conv& op, const Layout& x, const Layout& y) {
  const bool own = std::ranges::all_of(op.axes, [](const ir::WindowAxis& a) { return a.kernel == 1 && a.stride == 1 && a.pad_begin == 0 && a.pad_end == 0; });
  return own && !x.has_border() && !y.has_border();
}

// All pixels, whose neighbours follow them: some of them for one panel after those for another.
void run_all(const Memory& memory, const kernels::Linear& linear, const kernels::LinearRun& all, double pixel_time) {
  constexpr std::int64_t kPiece = 336;  // pixels: whole tiles of 4, 6, 7, 12, 14, 16, 24, 28 and 48
  const std::int64_t pieces = (all.pixels + kPiece - 1) / kPiece;
  in_parts(memory, linear.panels() * pieces, pixel_time * static_cast<double>(all.pixels), [&](std::int64_t first, std::int64_t last) {
    kernels::LinearRun run = all;
    for (std::int64_t at = first; at < last; ++at) {
      const std::int64_t pixel = at % pieces * kPiece;
      run.x = all.x + pixel * all.x_pixel;
      run.y = all.y + pixel * all.y_pixel;
      run.pixels = std::min(kPiece, all.pixels - pixel);
      run.sequence = at % pieces;
      linear.run(run, at / pieces);
    }
  });
}

}  // namespace

bool has_kernels(const qgraph::Linear& linear, const Layout& x, const Layout& y) {
  if (linear.wide || linear.group_size > 0 || !x.grid || !y.grid) return false;
  const numeric::IntegerFormat& format = linear.w_params.format;
  if (linear.codebook.empty() && format.bits <= 8 && format.is_signed && std::ranges::all_of(linear.w_params.affine, [](const numeric::Affine& a) { return a.zero_point == 0; }))
    return true;
  const std::int32_t least = x.is_bytes() ? -kMostWeight : INT16_MIN;
  const std::int32_t most = x.is_bytes() ? kMostWeight : INT16_MAX;
  std::vector<std::int32_t> row(static_cast<std::size_t>(linear.reduction));
  for (std::int64_t m = 0; m < linear.channels; ++m) {
    qgraph::centred_row(linear, m, row);
    if (!std::ranges::all_of(row, [&](std::int32_t w) { return w >= least && w <= most; })) return false;
  }
  return true;
}

Work gemm_step(const qgraph::Gemm& op, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  TapWeights weights{.channels = op.linear.channels, .depth = op.linear.reduction, .taps = {0}, .w = rows_of(op.linear)};
  const PackedGroup group = packed(std::move(weights), op.linear, 0, op.x_zero_point - x->layout.base, isa, x->layout, y->layout);
  const double pixel_time = static_cast<double>(op.linear.reduction * op.linear.channels) / kernels::multiply_adds_a_nanosecond(isa);
  return [group, x, y, pixel_time, depth = op.linear.reduction, channels = op.linear.channels](const Memory& memory) {
    const kernels::LinearRun all{.x = x->read<std::uint8_t>(memory),
                                 .x_pixel = bytes_of(x->layout, depth),
                                 .taps = group.taps.data(),
                                 .pixels = memory.samples * y->layout.elements() / channels,
                                 .y = y->write<std::uint8_t>(memory),
                                 .y_pixel = bytes_of(y->layout, channels)};
    run_all(memory, *group.linear, all, pixel_time);
  };
}

namespace {

// A Conv on kernels: each group's channels, row by row.
struct ConvRows {
  std::vector<PackedGroup> groups;
  SlotPointer x;
  SlotPointer y;
  ir::PlaneAxes axes;
  std::vector<std::int64_t> kinds;  // of rows
  std::int64_t depth = 0;           // of a group's input
  std::int64_t channels = 0;        // of its output
  double pixel_time = 0.0;          // nanoseconds of one group
  bool one_run = false;

  void operator()(const Memory& memory) const {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      kernels::LinearRun run{.x = x->read<std::uint8_t>(memory) + bytes_of(x->layout, static_cast<std::int64_t>(g) * depth),
                             .x_pixel = bytes_of(x->layout, axes[1].stride * x->layout.pixel_pitch()),
                             .taps = groups[g].taps.data(),
                             .y = y->write<std::uint8_t>(memory) + bytes_of(y->layout, static_cast<std::int64_t>(g) * channels),
                             .y_pixel = bytes_of(y->layout, y->layout.pixel_pitch())};
      const std::int64_t images = memory.samples * y->layout.images();
      run.pixels = one_run ? images * y->layout.rows() * y->layout.columns() : y->layout.columns();
      if (groups[g].winograd)
        run_row_pairs(memory, *groups[g].winograd, run, images);
      else if (one_run)
        run_all(memory, *groups[g].linear, run, pixel_time);
      else
        run_rows(memory, groups[g], run, images);
    }
  }

  // One panel's weights for all rows of an image before those of the next.
  void run_rows(const Memory& memory, const PackedGroup& group, const kernels::LinearRun& of_row, std::int64_t images) const {
    const std::int64_t panels = group.linear->panels();
    const std::int64_t rows = y->layout.rows();
    const double time = pixel_time * static_cast<double>(images * rows * of_row.pixels);
    in_parts(memory, images * panels * rows, time, [&](std::int64_t first, std::int64_t last) {
      kernels::LinearRun run = of_row;
      std::int64_t image = first / (panels * rows);
      std::int64_t panel = first / rows % panels;
      std::int64_t r = first % rows;
      for (std::int64_t at = first; at < last; ++at) {
        run.x = of_row.x + bytes_of(x->layout, x->layout.place(image, r * axes[0].stride - axes[0].pad_begin, -axes[1].pad_begin));
        run.y = of_row.y + bytes_of(y->layout, y->layout.place(image, r, 0));
        run.range = group.has_ranges ? kinds[static_cast<std::size_t>(r)] : -1;
        run.sequence = r;
        group.linear->run(run, panel);
        if (++r < rows) continue;
        r = 0;
        if (++panel < panels) continue;
        panel = 0;
        ++image;
      }
    });
  }

  void run_row_pairs(const Memory& memory, const kernels::Winograd& winograd, const kernels::LinearRun& of_row, std::int64_t images) const {
    const std::int64_t panels = winograd.panels();
    const std::int64_t pairs = (y->layout.rows() + 1) / 2;
    const double time = pixel_time / 2 * static_cast<double>(images * y->layout.rows() * of_row.pixels);
    in_parts(memory, images * panels * pairs, time, [&](std::int64_t first, std::int64_t last) {
      kernels::WinogradRun run{.x_row = x->layout.row_pitch(), .x_pixel = of_row.x_pixel, .pixels = of_row.pixels, .y_row = y->layout.row_pitch(), .y_pixel = of_row.y_pixel};
      for (std::int64_t at = first; at < last; ++at) {
        const std::int64_t image = at / (panels * pairs);
        const std::int64_t r = 2 * (at % pairs);
        run.rows = std::min<std::int64_t>(2, y->layout.rows() - r);
        run.x = of_row.x + x->layout.place(image, r - axes[0].pad_begin, -axes[1].pad_begin);
        run.y = of_row.y + y->layout.place(image, r, 0);
        winograd.run(run, at / pairs % panels);
      }
    });
  }
};

}  // namespace

Work conv_step(const qgraph::Conv& op, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  const bool depthwise = is_depthwise(op, x->layout, y->layout);
  const std::int64_t groups = depthwise ? 1 : op.groups;
  ConvRows rows{.groups = {}, .x = x, .y = y, .axes = op.axes, .kinds = {}, .depth = x->layout.channels() / groups, .channels = op.linear.channels / groups};
  std::vector<WindowRows> windows;
  rows.kinds = row_kinds(op.axes[0], windows);
  rows.one_run = is_one_run(op, x->layout, y->layout);
  // A depthwise layer's sums take some four times as long as those of full panels.
  rows.pixel_time = static_cast<double>(op.linear.reduction * rows.channels) * (depthwise ? 4.0 : 1.0) / kernels::multiply_adds_a_nanosecond(isa);
  const std::int32_t zero = op.x_zero_point - x->layout.base;
  if (depthwise) rows.groups.push_back(packed(depthwise_taps(op, x->layout), op.linear, 0, zero, isa, x->layout, y->layout, Kernels::depthwise));
  for (std::int64_t g = 0; g < groups && !depthwise; ++g)
    rows.groups.push_back(packed(taps_of(op, g, x->layout, y->layout, windows), op.linear, g * rows.channels, zero, isa, x->layout, y->layout,
                                 has_small_windows(op, x->layout, y->layout) ? Kernels::winograd : Kernels::linear));
  return rows;
}

}  // namespace halftone::engine
