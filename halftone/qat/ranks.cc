#include "halftone/qat/ranks.h"

#include <c10/util/Logging.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "halftone/base/descriptor.h"
#include "halftone/base/digest.h"
#include "halftone/base/error.h"

namespace halftone::qat {
namespace {

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

// c10d and Gloo throw exceptions of several kinds; what they say in their first line is what a user can use.
template <typename Work>
void exchange(const RankSettings& settings, std::string_view what, const Work& work) {
  try {
    work();
  } catch (const c10::Error& error) {
    throw SystemError(fmt::format("rank {} of {}", settings.rank, settings.size), fmt::format("{}: {}", what, first_line(error.what_without_backtrace())));
  } catch (const std::exception& error) {
    throw SystemError(fmt::format("rank {} of {}", settings.rank, settings.size), fmt::format("{}: {}", what, first_line(error.what())));
  }
}

// The address of this machine from which the host of rank 0 is reached: the others find this one there. A machine's own name, which c10d
// would take, is often that of its loopback alone. Empty where there is none.
std::string own_address(const RankSettings& settings) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* all = nullptr;
  if (::getaddrinfo(settings.address.c_str(), std::to_string(settings.port).c_str(), &hints, &all) != 0) return "";
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(all, ::freeaddrinfo);
  for (const addrinfo* each = all; each != nullptr; each = each->ai_next) {
    const Descriptor probe(::socket(each->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    std::array<char, NI_MAXHOST> text{};
    // Nothing is sent: the route alone is asked for.
    if (probe.get() < 0 || ::connect(probe.get(), each->ai_addr, each->ai_addrlen) != 0 || ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0) continue;
    if (::getnameinfo(reinterpret_cast<const sockaddr*>(&own), size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0) return text.data();
  }
  return "";
}

// As PyTorch's own programs choose it, but for the last.
std::shared_ptr<gloo::transport::Device> device_of(const RankSettings& settings) {
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  if (interface != nullptr && *interface != '\0') return c10d::ProcessGroupGloo::createDeviceForInterface(interface);
  const std::string own = own_address(settings);
  return own.empty() ? c10d::ProcessGroupGloo::createDefaultDevice() : c10d::ProcessGroupGloo::createDeviceForHostname(own);
}

int number_in(const char* name, int least, int most) {
  const char* text = std::getenv(name);
  if (text == nullptr) throw UsageError(name, "is not set, expected RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT together");
  int value = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc() || stop != end || value < least || value > most)
    throw UsageError(name, fmt::format("got '{}', expected {} to {}", text, least, most));
  return value;
}

}  // namespace

struct Ranks::Group {
  RankSettings settings;
  c10::intrusive_ptr<c10d::TCPStore> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
};

Ranks::Ranks() = default;
Ranks::~Ranks() = default;

Ranks::Ranks(const RankSettings& settings) : rank_(settings.rank), size_(settings.size) {
  if (size_ == 1) return;
  group_ = std::make_unique<Group>(Group{settings, {}, {}});
  constexpr int kFatalAlone = 3;
  FLAGS_caffe2_log_level = kFatalAlone;  // what else goes wrong is said once, by the exception
  exchange(settings, fmt::format("cannot meet the others at {}:{}", settings.address, settings.port), [&] {
    c10d::TCPStoreOptions store;
    store.port = static_cast<std::uint16_t>(settings.port);
    store.isServer = rank_ == 0;
    store.numWorkers = static_cast<std::size_t>(size_);
    store.timeout = settings.timeout;
    group_->store = c10::make_intrusive<c10d::TCPStore>(settings.address, store);
    auto options = c10d::ProcessGroupGloo::Options::create(settings.timeout);
    options->devices.push_back(device_of(settings));
    group_->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(group_->store, rank_, size_, options);
  });
}

void Ranks::sum(at::Tensor& x) const {
  if (group_ == nullptr) return;
  exchange(group_->settings, "lost the other ranks", [&] {
    std::vector<at::Tensor> all{x};
    group_->gloo->allreduce(all)->wait();
  });
}

void Ranks::maximum(at::Tensor& x) const {
  if (group_ == nullptr) return;
  exchange(group_->settings, "lost the other ranks", [&] {
    std::vector<at::Tensor> all{x};
    c10d::AllreduceOptions options;
    options.reduceOp = c10d::ReduceOp::MAX;
    group_->gloo->allreduce(all, options)->wait();
  });
}

void Ranks::broadcast(at::Tensor& x) const {
  if (group_ == nullptr) return;
  exchange(group_->settings, "lost the other ranks", [&] {
    std::vector<at::Tensor> all{x};
    group_->gloo->broadcast(all)->wait();
  });
}

void Ranks::expect_alike(const Identity& told) const {
  if (group_ == nullptr) return;
  std::vector<float> own;
  for (const auto& [name, value] : told) {
    Digest digest;
    digest.add(std::as_bytes(std::span(name)));
    digest.add(std::as_bytes(std::span(value)));
    for (const char each : digest.text()) own.push_back(static_cast<float>(each));
  }
  at::Tensor first = at::tensor(own);
  broadcast(first);
  const std::size_t each = own.size() / told.size();
  std::size_t at = 0;
  for (const auto& [name, value] : told) {
    const float* digest = first.data_ptr<float>() + at;
    if (!std::equal(digest, digest + each, own.begin() + static_cast<std::ptrdiff_t>(at)))
      throw UsageError(fmt::format("rank {} of {}", rank_, size_), fmt::format("{}, got {}, expected what rank 0 is told", name, value));
    at += each;
  }
}

std::optional<RankSettings> ranks_in_environment() {
  // Alone, each rank would train the whole and write over the others' files.
  if (std::getenv("WORLD_SIZE") == nullptr && std::getenv("RANK") == nullptr) return std::nullopt;
  RankSettings settings;
  settings.size = number_in("WORLD_SIZE", 1, 1 << 16);
  if (settings.size == 1) return settings;
  settings.rank = number_in("RANK", 0, settings.size - 1);
  settings.port = number_in("MASTER_PORT", 1, 65535);
  const char* address = std::getenv("MASTER_ADDR");
  if (address == nullptr || *address == '\0') throw UsageError("MASTER_ADDR", "is not set, expected the host of rank 0");
  settings.address = address;
  return settings;
}

}  // namespace halftone::qat
