// Shapes and layouts in oneDNN's terms.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include "halftone/base/shape.h"

namespace halftone::float_engine {

using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;

// The CPU, shared by everything in the process: asked for whenever oneDNN makes something. Throws std::bad_alloc when
// little memory is left: oneDNN reads what it could not allocate.
const dnnl::engine& cpu();

// A shape as dimensions; a scalar has one element.
Dims dims_of(const Shape& shape);
// Row-major float32.
Desc plain(const Dims& dims);
// float32 in whichever layout the primitive likes best.
Desc any_layout(const Dims& dims);
// float32 with these strides, in elements.
Desc strided(const Dims& dims, const Dims& strides);
// How many channels (dimension 1) lie side by side: 1 in plain layouts, 8 or 16 in blocked ones.
std::int64_t channel_block(const Desc& desc);
// B where elements lie in the order of [N, C / B, rest..., B], C also where channels lie innermost; otherwise 0.
std::int64_t innermost_channels(const Desc& desc);

}  // namespace halftone::float_engine
