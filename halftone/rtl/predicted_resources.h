// Resources of an array on a device of family xc7, without synthesis.
#pragma once

#include "halftone/rtl/array.h"
#include "halftone/rtl/device.h"

namespace halftone::rtl {

// DSPs are those that Yosys counts. LUTs and FFs are the sum of a formula a module, linear in the widths, whose numbers were fitted on 37 modules and
// 11 arrays of up to 36 elements by Yosys 0.23: within 10 % of its counts. Block memory is left at 0.
Resources predicted_resources(const ArrayGeometry& geometry);

// The array with the most products a cycle, at most as large in each direction, that the device holds by this prediction; rows stay a multiple of
// the lanes. Throws UsageError where none does.
ArrayGeometry largest_that_fits(ArrayGeometry geometry, const Device& device);

}  // namespace halftone::rtl
