// Instruction sets that kernels are written for.
#pragma once

#include <string_view>
#include <vector>

namespace halftone::kernels {

enum class Isa {
  generic,      // plain loops, on every machine
  avx2,         // 16-bit products on 256 bits
  avx512_vnni,  // F, BW, VL, DQ, VBMI and VNNI: vpdpbusd on 512 bits
};

// "generic", "avx2", "avx512vnni".
std::string_view name_of(Isa isa);
// Throws UsageError for an unknown name.
Isa isa_from(std::string_view name);

// Whether this build has kernels for it, and this CPU and system run them.
bool is_supported(Isa isa);
// Those that are, the best one last.
std::vector<Isa> supported_isas();
Isa best_isa();

// About what a core of it does: decides what is worth another thread, nothing else.
double multiply_adds_a_nanosecond(Isa isa);

}  // namespace halftone::kernels
