#include "halftone/base/error.h"

#include "halftone/base/shown.h"

namespace halftone {
namespace {

std::string one_line(std::string_view where, std::string_view what) {
  return shown("[" + shown(where, kMostMessage / 2) + "] " + shown(what, kMostMessage), kMostMessage);
}

}  // namespace

Error::Error(std::string_view where, std::string_view what) : std::runtime_error(one_line(where, what)) {}

}  // namespace halftone
