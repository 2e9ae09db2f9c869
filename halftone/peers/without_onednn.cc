// oneDNN's peers where it was not found.
#include "halftone/base/error.h"
#include "halftone/peers/onednn_int8.h"
#include "halftone/peers/onednn_matmul.h"

namespace halftone::peers {
namespace {

[[noreturn]] void refuse() { throw UnsupportedError("onednn", "built without oneDNN"); }

}  // namespace

struct OnednnInt8::Network {};

OnednnInt8::OnednnInt8(const qgraph::QuantizedGraph&, const OnednnOptions&) { refuse(); }
OnednnInt8::OnednnInt8(OnednnInt8&&) noexcept = default;
OnednnInt8::~OnednnInt8() = default;
void OnednnInt8::run() { refuse(); }
std::span<float> OnednnInt8::input(std::size_t) { refuse(); }
std::span<const float> OnednnInt8::output(std::size_t) const { refuse(); }
const std::vector<Primitive>& OnednnInt8::primitives() const { refuse(); }

struct OnednnMatmul::Chain {};

OnednnMatmul::OnednnMatmul(const MatmulSizes&) { refuse(); }
OnednnMatmul::OnednnMatmul(OnednnMatmul&&) noexcept = default;
OnednnMatmul::~OnednnMatmul() = default;
void OnednnMatmul::run() { refuse(); }
std::string OnednnMatmul::implementation() const { refuse(); }

}  // namespace halftone::peers
