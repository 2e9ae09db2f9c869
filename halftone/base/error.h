// Typed errors. Every message reads `[where] what, got X, expected Y` on one line.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace halftone {

// A way out that the library knows of. The caller says it in the words of its own interface.
enum class Remedy {
  none,
  give_shapes,          // sizes of inputs that the file leaves open
  newer_opset,          // export the network with a newer operator set
  fold_constants,       // export it with constants computed
  write_pairs,          // write Quantize/Dequantize pairs, which hold every format
  symmetric_weights,    // quantize weights symmetric, or write pairs
  keep_float_network,   // write the float network as the methods leave it, and take that
  fixed_control_flow,   // export it traced, without branches and loops
  unrolled_recurrence,  // export it with recurrence as layers
  standard_operators,   // export it with operators of ONNX's own domain
  other_operators,      // export it with other operators, or leave the node out
  other_form,           // export the node in another form, or leave it out
  leave_out,            // leave the node out, where integers alone are needed
  quantize_again,       // quantize the float network again, so that every value has a scale
  constant_weights,     // export it with constants computed, or keep the node in float
  keep_float,           // keep the node in float, between conversions
};

// Names in a message may come from a file: it is made of them as shown() does, so that it stays one plain line, and no
// longer than 2,000 bytes.
class Error : public std::runtime_error {
 public:
  Error(std::string_view where, std::string_view what, Remedy remedy = Remedy::none);
  Remedy remedy() const { return remedy_; }
  // The message without "[where] ".
  std::string_view message() const { return std::string_view(what()).substr(message_at_); }

 private:
  Remedy remedy_;
  std::size_t message_at_;
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

// In a catch block of an InputError: throws it again with `where` before it, an UnsupportedError as one, and its remedy.
[[noreturn]] void throw_again_in(std::string_view where);

}  // namespace halftone
