// oneDNN plans and runs with as many OpenMP threads as the calling thread may start.
#pragma once

#include <omp.h>

namespace halftone::float_engine {

// OpenMP has one thread for the calling thread while this lives: results then do not depend on the machine's
// load or cores, and callers that run one network on many threads do not start threads of threads.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace halftone::float_engine
