// Primitives of oneDNN that run one after another on memory of their own.
#pragma once

#include <omp.h>

#include <cstddef>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <unordered_map>
#include <vector>

#include "halftone/peers/primitive.h"

namespace halftone::peers {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;
using Arguments = std::unordered_map<int, dnnl::memory>;

// OpenMP has so many threads for the calling thread while this lives.
class OpenMpThreads {
 public:
  explicit OpenMpThreads(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~OpenMpThreads() { omp_set_num_threads(before_); }
  OpenMpThreads(const OpenMpThreads&) = delete;
  OpenMpThreads& operator=(const OpenMpThreads&) = delete;

 private:
  int before_;
};

Desc row_major(const Dims& dims, dnnl::memory::data_type type);
Desc any_layout(const Dims& dims, dnnl::memory::data_type type);
// Whether elements follow one another row-major, whatever the strides of dimensions of size 1 are.
bool is_row_major(const Desc& desc);

class OnednnChain {
 public:
  const dnnl::engine& engine() const { return engine_; }

  // Stays as long as the chain.
  dnnl::memory allocate(const Desc& desc);
  // Constants that primitives read, brought to their layout once: `bytes` are row-major.
  dnnl::memory constant(std::span<const std::byte> bytes, const Desc& plain, const Desc& wanted);

  // `primitive` tells of the node; its shape and type are those of the result.
  void add(Primitive primitive, const dnnl::primitive& call, Arguments arguments, const Desc& scratchpad = {});
  // The same elements in the layout wanted: `x` itself where it has that.
  dnnl::memory reordered(const dnnl::memory& x, const Desc& wanted, const std::string& node);
  // The same times a factor.
  dnnl::memory converted(const dnnl::memory& x, const Desc& wanted, float factor, const std::string& node);
  // Seen in other dimensions, row-major.
  dnnl::memory reshaped(const dnnl::memory& x, const Dims& dims, const std::string& node);

  // After the last primitive.
  void finish();
  void run(int threads);
  const std::vector<Primitive>& primitives() const { return primitives_; }

 private:
  struct Step {
    dnnl::primitive call;
    Arguments arguments;
    Desc scratchpad;
  };

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::vector<Step> steps_;
  std::vector<Primitive> primitives_;
  std::vector<dnnl::memory> memories_;
};

// Options that every primitive has: a scratchpad that the chain gives.
dnnl::primitive_attr attributes();

}  // namespace halftone::peers
