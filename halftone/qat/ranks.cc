#include "halftone/qat/ranks.h"

#include <fmt/format.h>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <charconv>
#include <cstdlib>
#include <cstring>

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
  exchange(settings, fmt::format("cannot meet the others at {}:{}", settings.address, settings.port), [&] {
    c10d::TCPStoreOptions store;
    store.port = static_cast<std::uint16_t>(settings.port);
    store.isServer = rank_ == 0;
    store.numWorkers = static_cast<std::size_t>(size_);
    store.timeout = settings.timeout;
    group_->store = c10::make_intrusive<c10d::TCPStore>(settings.address, store);
    auto options = c10d::ProcessGroupGloo::Options::create(settings.timeout);
    options->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
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

std::optional<RankSettings> ranks_in_environment() {
  if (std::getenv("WORLD_SIZE") == nullptr) return std::nullopt;
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
