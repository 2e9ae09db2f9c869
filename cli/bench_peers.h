// Other engines on the networks that `halftone bench` times.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/model_file.h"
#include "halftone/peers/onnxruntime.h"

namespace halftone::cli {

class BenchPeers {
 public:
  // `names`: words between commas; empty: none. `library`: ONNX Runtime's, where it is asked for; empty: not given. Throws UsageError for
  // an unknown name, and as peers::OnnxruntimeLibrary does.
  BenchPeers(const std::string& names, const std::string& library);

  const std::vector<std::string>& names() const { return names_; }
  // One run of a quantized model from floats to floats. Nothing where the peer can't: why is noted.
  std::function<void()> run_of(const std::string& peer, const ModelFile& model, std::int64_t batch, int threads);
  // "skipped: onednn: why", each once.
  const std::vector<std::string>& skipped() const { return skipped_; }

 private:
  std::function<void()> onednn_run(const ModelFile& model, std::int64_t batch, int threads) const;
  std::function<void()> onnxruntime_run(const ModelFile& model, std::int64_t batch, int threads);

  std::vector<std::string> names_;
  std::optional<peers::OnnxruntimeLibrary> library_;
  std::map<std::string, std::string> files_;  // by model: its network in the form in which ONNX Runtime is fastest
  std::vector<std::string> skipped_;
};

}  // namespace halftone::cli
