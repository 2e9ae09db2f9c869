#include "halftone/peers/onednn_matmul.h"

#include <cmath>

#include "halftone/peers/onednn_chain.h"

namespace halftone::peers {

using Type = dnnl::memory::data_type;

struct OnednnMatmul::Chain : OnednnChain {};

OnednnMatmul::OnednnMatmul(const MatmulSizes& sizes) : chain_(std::make_unique<Chain>()) {
  const OpenMpThreads guard(1);
  const Desc x = row_major({sizes.rows, sizes.depth}, Type::u8);
  const Desc w = row_major({sizes.depth, sizes.columns}, Type::s8);
  const Desc y = row_major({sizes.rows, sizes.columns}, Type::u8);
  dnnl::primitive_attr scaled = attributes();
  constexpr int kByColumn = 2;  // a bit for each dimension of the result
  scaled.set_output_scales(
      kByColumn, std::vector<float>(static_cast<std::size_t>(sizes.columns), static_cast<float>(1.0 / (254.0 * std::sqrt(sizes.depth)))));
  const dnnl::matmul::primitive_desc chosen({x, any_layout(w.dims(), Type::s8), y}, scaled, chain_->engine());
  std::vector<std::int8_t> weights(w.get_size());
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<std::int8_t>(static_cast<int>(i * 37 % 255) - 127);
  const dnnl::memory from = chain_->allocate(x);
  auto* bytes = static_cast<std::uint8_t*>(from.get_data_handle());
  for (std::size_t i = 0; i < x.get_size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 29 % 256);
  chain_->add({.kind = "matmul", .implementation = chosen.impl_info_str(), .multiply_adds = sizes.rows * sizes.depth * sizes.columns},
              dnnl::matmul(chosen),
              {{DNNL_ARG_SRC, from},
               {DNNL_ARG_WEIGHTS, chain_->constant(std::as_bytes(std::span(weights)), w, chosen.weights_desc())},
               {DNNL_ARG_DST, chain_->allocate(y)}},
              chosen.scratchpad_desc());
  chain_->finish();
}

OnednnMatmul::OnednnMatmul(OnednnMatmul&&) noexcept = default;
OnednnMatmul::~OnednnMatmul() = default;

void OnednnMatmul::run() { chain_->run(1); }
std::string OnednnMatmul::implementation() const { return chain_->primitives().at(0).implementation; }

}  // namespace halftone::peers
