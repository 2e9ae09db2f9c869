// Files that take minutes to make are made once and kept.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace halftone::rtl {

// Where it is kept: `folder`, or halftone/rtl in XDG_CACHE_HOME or ~/.cache. Throws SystemError where there is no such place.
std::filesystem::path kept_folder(const std::string& folder = "");

// The folder `name` in `kept`, which `make` has filled with `product`, a file that is not empty: now, or in an earlier run. It appears whole or not at all; where `make` throws, what it left
// stays in a folder beside it, with the logs that its error names. Another process that makes the same at the same time is no harm.
std::filesystem::path made_once(const std::filesystem::path& kept, const std::string& name, const std::string& product, const std::function<void(const std::filesystem::path&)>& make);

}  // namespace halftone::rtl
