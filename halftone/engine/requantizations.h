// A layer's requantizer for the form in which its result is stored.
#pragma once

#include "halftone/engine/layout.h"
#include "halftone/kernels/requantization.h"

namespace halftone::engine {

// One entry for each of `entries`; shifts alone are multipliers of 1.
kernels::Requantization requantization_of(const qgraph::Requantizer& requantizer, std::int64_t entries, const Layout& y);

}  // namespace halftone::engine
