// Text and numbers inside HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace halftone::report {

// Text as the content of an element or of a quoted attribute: the five characters with a meaning in XML are
// written as entities, characters that are not plain (shown.h) and bytes that are not UTF-8 as U+FFFD.
std::string escaped(std::string_view text);

// A coordinate: at most two decimals, "0" for what is not finite.
std::string coordinate(double x);

}  // namespace halftone::report
