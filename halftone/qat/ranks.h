// The processes that train one network together, each on its part of every batch: PyTorch's data-parallel convention (RANK, WORLD_SIZE,
// MASTER_ADDR and MASTER_PORT, as torchrun, Slurm scripts and Kubernetes' PyTorchJob set them), over c10d's Gloo.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "halftone/qat/hooks.h"

namespace at {
class Tensor;
}

namespace halftone::qat {

struct RankSettings {
  int rank = 0;
  int size = 1;
  std::string address;
  int port = 0;
  std::chrono::seconds timeout{300};  // for one exchange, and for all to come
};

class Ranks {
 public:
  Ranks();  // one process, alone
  // Waits until all are there. Throws SystemError where they do not come in time.
  explicit Ranks(const RankSettings& settings);
  ~Ranks();

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_first() const { return rank_ == 0; }

  // In place, over all ranks, of a dense float tensor: alike on all. Throw SystemError where a rank is gone or does not answer in time.
  void sum(at::Tensor& x) const;
  void maximum(at::Tensor& x) const;
  // All get what rank 0 has.
  void broadcast(at::Tensor& x) const;
  // Throws UsageError naming what this rank was told otherwise than rank 0.
  void expect_alike(const Identity& told) const;

 private:
  struct Group;
  int rank_ = 0;
  int size_ = 1;
  std::unique_ptr<Group> group_;
};

// As the environment says; none where neither WORLD_SIZE nor RANK is set. Throws UsageError naming the variable that is missing or makes no sense.
std::optional<RankSettings> ranks_in_environment();

}  // namespace halftone::qat
