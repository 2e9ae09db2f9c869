#include "halftone/base/error.h"

namespace halftone {
namespace {

std::string one_line(std::string_view where, std::string_view what) {
  std::string message = "[";
  message.append(where).append("] ").append(what);
  for (char& c : message)
    if ((c >= '\0' && c < ' ') || c == '\x7f') c = '?';
  return message;
}

}  // namespace

Error::Error(std::string_view where, std::string_view what) : std::runtime_error(one_line(where, what)) {}

}  // namespace halftone
