#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/engine/parts.h"
#include "halftone/engine/spans.h"
#include "halftone/engine/steps.h"
#include "halftone/kernels/bytes/bytes.h"

namespace halftone::engine {
namespace {

template <typename T>
void quantize_sample(const float* x, T* y, const std::vector<std::int64_t>& places, const qgraph::Quantize& op, const Layout& to) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (std::isnan(x[i])) throw InputError(to.name, fmt::format("element {} is not a number", i));
    y[places[i]] = static_cast<T>(numeric::quantize(x[i], op.grid, op.rounding) - to.base);
  }
}

[[noreturn]] void refuse_nan(const float* x, std::int64_t count, const std::string& name) {
  const float* at = std::find_if(x, x + count, [](float v) { return std::isnan(v); });
  throw InputError(name, fmt::format("element {} is not a number", at - x));
}

Work byte_quantize_step(const qgraph::Quantize& op, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  const numeric::Grid& grid = op.grid;
  const std::int32_t base = y->layout.base;
  const kernels::QuantizeRule rule{grid.affine.scale, grid.affine.zero_point - base, grid.format.qmin() - base, grid.format.qmax() - base};
  const Layout& to = y->layout;
  const std::int64_t planes = to.channels_last ? to.channels() : 1;
  const std::int64_t plane = to.channels_last ? to.rows() * to.columns() : to.elements();
  // Pieces of an image that stand together: rows where there is a border, or enough for threads to share.
  constexpr std::int64_t kMuch = std::int64_t{1} << 16;
  const std::int64_t rows = to.channels_last && (to.has_border() || to.elements() > kMuch) ? to.rows() : 1;
  return [rule, x, y, planes, plane, rows, quantize = kernels::byte_loops(isa).quantize](const Memory& memory) {
    const float* from = x->read<float>(memory);
    std::uint8_t* bytes = y->write<std::uint8_t>(memory);
    const std::int64_t images = memory.samples * (y->layout.channels_last ? y->layout.images() : 1);
    std::atomic<bool> is_number = true;
    in_parts(memory, images * rows, nanoseconds_of_bytes(4 * images * planes * plane), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t at = first; at < last; ++at) {
        const std::int64_t image = at / rows;
        const std::int64_t row = at % rows;
        std::uint8_t* at_row = bytes + (y->layout.channels_last ? y->layout.place(image, row, 0) : image * plane);
        if (!quantize(from + image * planes * plane + row * plane / rows, plane, planes, plane / rows, at_row, rule)) is_number = false;
      }
    });
    if (!is_number) refuse_nan(from, images * planes * plane, y->layout.name);
  };
}

template <typename T>
void dequantize_sample(const T* x, float* y, const std::vector<std::int64_t>& places, const Layout& from, const numeric::Affine& affine) {
  if (!from.channels_last) {
    for (std::size_t i = 0; i < places.size(); ++i) y[i] = numeric::dequantize(static_cast<std::int32_t>(x[i]) + from.base, affine);
    return;
  }
  for (std::size_t i = 0; i < places.size(); ++i)
    y[i] = numeric::dequantize(static_cast<std::int32_t>(x[places[i]]) + from.base, affine);
}

// Integers may have a scale for each index of an axis.
void dequantize_tensor(const Tensor& integers, float* y, const numeric::QuantParams& params) {
  const Tensor real = numeric::dequantize(integers, params);
  std::memcpy(y, real.bytes().data(), real.byte_size());
}

}  // namespace

Work quantize_step(const qgraph::Quantize& op, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  if (y->layout.is_bytes() && op.rounding == numeric::Rounding::half_even) return byte_quantize_step(op, isa, x, y);
  return [op, x, y, places = y->layout.places()](const Memory& memory) {
    with_type(y->layout, [&]<typename T>(T) {
      for (std::int64_t s = 0; s < memory.samples; ++s)
        quantize_sample(x->read<float>(memory) + s * x->layout.elements(), y->write<T>(memory) + s * y->layout.elements(), places, op, y->layout);
    });
  };
}

Work dequantize_step(const qgraph::Dequantize& op, SlotPointer x, SlotPointer y) {
  const bool one_scale = x->layout.grid && !x->input && op.params.granularity == numeric::Granularity::tensor;
  return [op, x, y, one_scale, places = x->layout.places()](const Memory& memory) {
    for (std::int64_t s = 0; s < memory.samples; ++s) {
      float* to = y->write<float>(memory) + s * y->layout.elements();
      if (!one_scale) {
        dequantize_tensor(tensor_of(*x, memory, s, places), to, op.params);
        continue;
      }
      with_type(x->layout, [&]<typename T>(T) {
        dequantize_sample(x->read<T>(memory) + s * x->layout.elements(), to, places, x->layout, op.params.tensor());
      });
    }
  };
}

Work copy_step(SlotPointer x, SlotPointer y) {
  return [x, y, spans = Spans(x->layout.places(), y->layout.places())](const Memory& memory) { spans.copy(*x, *y, memory); };
}

Work import_step(SlotPointer x, SlotPointer y) {
  return [x, y, to = y->layout.places()](const Memory& memory) {
    dispatch_dtype(x->layout.dtype, [&]<typename From>(From) {
      with_type(y->layout, [&]<typename To>(To) {
        for (std::int64_t s = 0; s < memory.samples; ++s) {
          const From* source = x->read<From>(memory) + s * static_cast<std::int64_t>(to.size());
          To* target = y->write<To>(memory) + s * y->layout.elements();
          for (std::size_t i = 0; i < to.size(); ++i) {
            const auto q = static_cast<std::int64_t>(source[i]);
            const numeric::IntegerFormat& format = y->layout.grid->format;
            if (q < format.qmin() || q > format.qmax())
              throw InputError(y->layout.name, fmt::format("element {} is {}, expected {} to {}", i, q, format.qmin(), format.qmax()));
            target[to[i]] = static_cast<To>(q - y->layout.base);
          }
        }
      });
    });
  };
}

Tensor tensor_of(const Slot& x, const Memory& memory, std::int64_t sample, const std::vector<std::int64_t>& places) {
  const Layout& layout = x.layout;
  Tensor tensor(layout.dtype, layout.shape);
  export_sample(x, memory, sample, places, tensor.mutable_bytes().data());
  return tensor;
}

void export_sample(const Slot& x, const Memory& memory, std::int64_t sample, const std::vector<std::int64_t>& places, std::byte* to) {
  const Layout& layout = x.layout;
  if (!layout.grid || x.input) {
    const std::size_t bytes = static_cast<std::size_t>(layout.elements()) * size_of(layout.dtype);
    std::memcpy(to, x.bytes(memory) + static_cast<std::size_t>(sample) * bytes, bytes);
    return;
  }
  with_type(layout, [&]<typename From>(From) {
    dispatch_dtype(layout.dtype, [&]<typename To>(To) {
      const From* source = x.read<From>(memory) + sample * layout.elements();
      for (std::size_t i = 0; i < places.size(); ++i)
        reinterpret_cast<To*>(to)[i] = static_cast<To>(static_cast<std::int32_t>(source[places[i]]) + layout.base);
    });
  });
}

Work border_step(SlotPointer y) {
  return [y](const Memory& memory) {
    const Layout& layout = y->layout;
    with_type(layout, [&]<typename T>(T) {
      const auto fill = static_cast<T>(layout.filling);
      for (std::int64_t image = 0; image < memory.samples * layout.images(); ++image) {
        T* at = y->write<T>(memory) + image * layout.image_pitch();
        const std::int64_t left = layout.border[2] * layout.channels();
        const std::int64_t right = layout.border[3] * layout.channels();
        std::fill(at, at + layout.border[0] * layout.row_pitch() + left, fill);
        T* row = at + layout.border[0] * layout.row_pitch();
        for (std::int64_t r = 0; r < layout.rows(); ++r, row += layout.row_pitch()) {
          T* end = row + layout.row_pitch();
          std::fill(end - right, end + (r + 1 < layout.rows() ? left : 0), fill);
        }
        std::fill(row, row + layout.border[1] * layout.row_pitch(), fill);
      }
    });
  };
}

}  // namespace halftone::engine
