#include "halftone/rtl/kept.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "halftone/base/error.h"

namespace halftone::rtl {

std::filesystem::path kept_folder(const std::string& folder) {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path place = folder;
  if (place.empty() && cache != nullptr && *cache != '\0') place = std::filesystem::path(cache) / "halftone" / "rtl";
  if (place.empty() && home != nullptr && *home != '\0') place = std::filesystem::path(home) / ".cache" / "halftone" / "rtl";
  if (place.empty()) throw SystemError("rtl", "got neither XDG_CACHE_HOME nor HOME, expected a folder to keep simulations in");
  std::error_code error;
  std::filesystem::create_directories(place, error);
  if (error) throw SystemError(place.string(), fmt::format("cannot be made: {}", error.message()));
  return std::filesystem::absolute(place);
}

std::filesystem::path made_once(const std::filesystem::path& kept, const std::string& name, const std::string& product, const std::function<void(const std::filesystem::path&)>& make) {
  const std::filesystem::path place = kept / name, work = kept / fmt::format("{}.{}", name, ::getpid());
  std::error_code error;
  if (const auto size = std::filesystem::file_size(place / product, error); !error && size > 0) return place;
  std::filesystem::remove_all(place, error);  // damaged, or not there
  std::filesystem::remove_all(work, error);
  std::filesystem::create_directories(work, error);
  if (error) throw SystemError(work.string(), fmt::format("cannot be made: {}", error.message()));
  make(work);
  std::filesystem::rename(work, place, error);
  if (error) std::filesystem::remove_all(work, error);
  return place;
}

}  // namespace halftone::rtl
