// Lists on the command line: "1-8", "2,4,8", "1,4-6", and words between commas.
#pragma once

#include <string>
#include <vector>

namespace halftone::cli {

// The numbers, ascending. Throws UsageError naming `option` for what is no list, for a range that runs
// backwards, a number beyond [least, most], or one given twice.
std::vector<int> parse_numbers(const std::string& option, const std::string& text, int least, int most);

// The words as they stand. Throws UsageError for an empty one or one given twice.
std::vector<std::string> parse_words(const std::string& option, const std::string& text);

}  // namespace halftone::cli
