// Typed errors. Every message reads `[where] what, got X, expected Y` on one line.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace halftone {

// Names in a message may come from a file: it is made of them as shown() does, so that it stays one plain line, and no
// longer than 2,000 bytes.
class Error : public std::runtime_error {
 public:
  Error(std::string_view where, std::string_view what);
};

// The caller asked for something that makes no sense: a bad option or argument.
class UsageError : public Error {
  using Error::Error;
};

// A file or value from outside is damaged or breaks a rule of its format.
class InputError : public Error {
  using Error::Error;
};

// The input is well formed, but uses what this version does not do.
class UnsupportedError : public InputError {
  using InputError::InputError;
};

// The operating system refused: missing file, no permission, full disk.
class SystemError : public Error {
  using Error::Error;
};

}  // namespace halftone
