// Memory that a process may still map (RLIMIT_AS, `ulimit -v`), asked before it is needed: libraries such
// as oneDNN do not survive an allocation that fails.
#pragma once

#include <cstddef>

namespace halftone {

// Stays free for the small things that nobody asks for: more than oneDNN takes for any one primitive or run.
inline constexpr std::size_t kReserveBytes = std::size_t{32} << 20;

// Whether there is a limit when this is first asked. Without one everything is left.
bool is_limited();
// Whether `bytes` are left besides the reserve.
bool is_left(std::size_t bytes);
// Throws std::bad_alloc unless they are.
void expect_left(std::size_t bytes);

// The bytes that the stack of a new thread takes.
std::size_t stack_bytes();

}  // namespace halftone
