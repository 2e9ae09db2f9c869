// A network as ONNX Runtime runs it, to time the engine against: its library is opened from a file, and no part of the program.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "halftone/base/tensor.h"

namespace halftone::peers {

class OnnxruntimeLibrary {
 public:
  // Throws SystemError for a file that cannot be read, and InputError for one that is no library of ONNX Runtime's C interface, or an
  // older one than 1.13.
  explicit OnnxruntimeLibrary(const std::filesystem::path& file);

  const std::string& version() const { return version_; }

 private:
  friend class OnnxruntimeSession;
  const void* const* functions_ = nullptr;  // its interface of version 13
  std::string version_;
};

struct OnnxruntimeNetwork {
  std::string model;  // a serialized ModelProto
  std::vector<std::string> input_names;
  std::vector<Tensor> inputs;  // float32; what every run reads
  std::vector<std::string> output_names;
  int threads = 1;
};

// From floats to floats in memory that stays. One run at a time.
class OnnxruntimeSession {
 public:
  // Throws UnsupportedError with ONNX Runtime's own words for a network that it refuses, as the first run does.
  OnnxruntimeSession(const OnnxruntimeLibrary& library, const OnnxruntimeNetwork& network);
  ~OnnxruntimeSession();

  void run();
  // After a run.
  std::vector<float> output(std::size_t i) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace halftone::peers
