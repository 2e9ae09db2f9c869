#include "halftone/peers/onednn_int8.h"

#include "halftone/peers/onednn_network.h"

namespace halftone::peers {

struct OnednnInt8::Network : OnednnNetwork {
  int threads = 1;
};

OnednnInt8::OnednnInt8(const qgraph::QuantizedGraph& graph, const OnednnOptions& options) : network_(std::make_unique<Network>()) {
  const OpenMpThreads guard(options.threads);  // oneDNN plans for as many as there are
  network_->threads = options.threads;
  build(graph, options.batch, *network_);
}

OnednnInt8::OnednnInt8(OnednnInt8&&) noexcept = default;
OnednnInt8::~OnednnInt8() = default;

void OnednnInt8::run() { network_->chain.run(network_->threads); }

std::span<float> OnednnInt8::input(std::size_t i) {
  const dnnl::memory& memory = network_->inputs.at(i);
  return {static_cast<float*>(memory.get_data_handle()), memory.get_desc().get_size() / sizeof(float)};
}

std::span<const float> OnednnInt8::output(std::size_t i) const {
  const dnnl::memory& memory = network_->outputs.at(i);
  return {static_cast<const float*>(memory.get_data_handle()), memory.get_desc().get_size() / sizeof(float)};
}

const std::vector<Primitive>& OnednnInt8::primitives() const { return network_->chain.primitives(); }

}  // namespace halftone::peers
