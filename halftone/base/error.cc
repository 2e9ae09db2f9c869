#include "halftone/base/error.h"

#include <algorithm>

#include "halftone/base/shown.h"

namespace halftone {
namespace {

std::string place(std::string_view where) { return "[" + shown(where, kMostMessage / 2) + "] "; }

std::string one_line(std::string_view where, std::string_view what) {
  return shown(place(where) + shown(what, kMostMessage), kMostMessage);
}

}  // namespace

Error::Error(std::string_view where, std::string_view what, Remedy remedy)
    : std::runtime_error(one_line(where, what)),
      remedy_(remedy),
      message_at_(std::min(place(where).size(), std::string_view(std::runtime_error::what()).size())) {}

void throw_again_in(std::string_view where) {
  try {
    throw;
  } catch (const UnsupportedError& error) {
    throw UnsupportedError(where, error.what(), error.remedy());
  } catch (const InputError& error) {
    throw InputError(where, error.what(), error.remedy());
  }
}

}  // namespace halftone
