// A Top behind few pins, so that a chip with less pins than it has ports can be placed and routed: every path stays between registers.
#pragma once

#include "halftone/rtl/top.h"

namespace halftone::rtl {

// Module `Pins`: din_i's bits move through one long register that holds config_i and the streams' data, valid and ready pass a register
// each, and parity_o is the parity of y_data_o and y_last_o.
std::string pins_around(const Top& top);

}  // namespace halftone::rtl
