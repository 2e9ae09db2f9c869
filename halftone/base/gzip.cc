#include "halftone/base/gzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone {
namespace {

// zlib counts in 32 bits.
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;

}  // namespace

struct Inflater::State {
  std::string where;
  z_stream stream{};
  bool complete = false;  // at the end of a member

  explicit State(std::string_view name) : where(name) {
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw SystemError(where, "out of memory");
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { inflateEnd(&stream); }

  void start_next_member() {
    if (inflateReset(&stream) != Z_OK) throw InputError(where, "damaged gzip data");
    complete = false;
  }
};

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

Inflater::Inflater(std::string_view where) : state_(std::make_unique<State>(where)) {}
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater::~Inflater() = default;

std::size_t Inflater::unpack(std::span<const std::byte>& packed, std::span<std::byte> out) {
  z_stream& stream = state_->stream;
  std::size_t made = 0;
  while (made < out.size()) {
    if (state_->complete && packed.empty()) break;
    if (state_->complete) state_->start_next_member();
    const std::size_t input = std::min(packed.size(), kMostAtOnce);
    const std::size_t room = std::min(out.size() - made, kMostAtOnce);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
    stream.avail_in = static_cast<uInt>(input);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + made);
    stream.avail_out = static_cast<uInt>(room);
    const int status = inflate(&stream, Z_NO_FLUSH);
    packed = packed.subspan(input - stream.avail_in);
    made += room - stream.avail_out;
    state_->complete = status == Z_STREAM_END;
    if (status == Z_BUF_ERROR) break;
    if (status != Z_OK && status != Z_STREAM_END)
      throw InputError(state_->where,
                       fmt::format("damaged gzip data ({})", stream.msg != nullptr ? stream.msg : "unknown"));
  }
  return made;
}

void Inflater::finish() const {
  if (!state_->complete) throw InputError(state_->where, "gzip data ends early (truncated)");
}

std::vector<std::byte> gunzip(std::span<const std::byte> bytes, std::string_view where,
                              std::size_t max_bytes) {
  Inflater inflater(where);
  std::vector<std::byte> unpacked;
  std::vector<std::byte> block(std::size_t{1} << 20);
  while (const std::size_t made = inflater.unpack(bytes, block)) {
    if (unpacked.size() + made > max_bytes)
      throw InputError(where, fmt::format("unpacks to more than {} bytes", max_bytes));
    unpacked.insert(unpacked.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(made));
  }
  inflater.finish();
  return unpacked;
}

}  // namespace halftone
