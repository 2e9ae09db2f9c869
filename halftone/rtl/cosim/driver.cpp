// Drives the module Top: reads jobs from standard input, and answers each on standard output. halftone/rtl/simulation.cc is the other end.
// All numbers are little-endian, as the machine's own.
#include <verilated.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "VTop.h"

namespace {

constexpr int kInputs = 3;
constexpr int kResetCycles = 4;

struct Job {
  std::uint32_t seed = 0;
  std::uint32_t patience = 0;        // cycles without a word in or out after which it is stuck
  std::uint32_t bytes_a_cycle = 0;   // that all streams in share; 0: each a word a cycle
  std::uint32_t stall[kInputs + 1]{};  // per cent of cycles in which a stream pauses; y last
  std::uint32_t words[kInputs + 1]{};
  std::uint32_t cost[kInputs]{};     // bytes that a word of a stream takes of bytes_a_cycle
  std::uint32_t config_bytes = 0;
  std::uint32_t in_bytes[kInputs]{};  // of a word
  std::uint32_t out_bytes = 0;
  std::uint32_t order_words = 0;      // with bytes_a_cycle: the streams, in the order in which their words come
};

struct Answer {
  std::uint32_t stuck = 0;
  std::uint32_t last_at = 0;  // how many words had left when y_last_o was set first; 0: never
  std::uint64_t cycles = 0;   // from the first word in, or its first byte, to the last word out, both counted
  std::uint64_t words = 0;    // that left
};

void read_all(void* to, std::size_t bytes) {
  if (std::fread(to, 1, bytes, stdin) != bytes) std::exit(3);
}
void write_all(const void* from, std::size_t bytes) {
  if (std::fwrite(from, 1, bytes, stdout) != bytes) std::exit(3);
}

// A port is an integer or an array of 32-bit words; both lie in memory low byte first.
template <typename Port>
void put(Port& port, const std::uint8_t* from, std::size_t bytes) {
  std::memset(&port, 0, sizeof(port));
  std::memcpy(&port, from, std::min(bytes, sizeof(port)));
}
template <typename Port>
void get(const Port& port, std::uint8_t* to, std::size_t bytes) {
  std::memcpy(to, &port, std::min(bytes, sizeof(port)));
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2862933555777941757ULL + 3037000493ULL) {}
  bool pauses(std::uint32_t per_cent) {
    if (per_cent == 0) return false;
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ % 100 < per_cent;
  }

 private:
  std::uint64_t state_;
};

// The data and handshakes of one job.
class Run {
 public:
  Run(VTop& top, const Job& job) : top_(top), job_(job), random_(job.seed), config_(job.config_bytes), order_(job.order_words) {
    read_all(config_.data(), config_.size());
    for (int i = 0; i < kInputs; ++i) {
      in_[i].resize(std::size_t{job.words[i]} * job.in_bytes[i]);
      read_all(in_[i].data(), in_[i].size());
    }
    read_all(order_.data(), order_.size());
    out_.resize(std::size_t{job.words[kInputs]} * job.out_bytes);
    dearest_ = *std::max_element(job.cost, job.cost + kInputs);
  }

  Answer go() {
    reset();
    std::uint32_t idle = 0;
    while (answer_.words < job_.words[kInputs] && !answer_.stuck) {
      offer();
      top_.eval();
      const bool moved = take();
      tick();
      if (begun_) ++answer_.cycles;
      idle = moved ? 0 : idle + 1;
      answer_.stuck = idle > job_.patience;
    }
    return answer_;
  }
  const std::vector<std::uint8_t>& out() const { return out_; }

 private:
  void tick() {
    top_.clk_i = 1;
    top_.eval();
    top_.clk_i = 0;
    top_.eval();
  }

  void reset() {
    put(top_.config_i, config_.data(), config_.size());
    top_.clk_i = 0;
    top_.a_valid_i = top_.b_valid_i = top_.p_valid_i = top_.y_ready_i = 0;
    top_.rst_ni = 0;
    for (int i = 0; i < kResetCycles; ++i) tick();
    top_.rst_ni = 1;
  }

  // A stream that has begun to offer a word goes on with it.
  void offer() {
    for (int i = 0; i < kInputs; ++i) offered_[i] = sent_[i] < job_.words[i] && (offered_[i] || !random_.pauses(job_.stall[i]));
    if (job_.bytes_a_cycle > 0) keep_in_order();
    top_.a_valid_i = offered_[0];
    top_.b_valid_i = offered_[1];
    top_.p_valid_i = offered_[2];
    const auto word = [&](int i) { return in_[i].data() + std::size_t{std::min(sent_[i], job_.words[i] - 1)} * job_.in_bytes[i]; };
    if (offered_[0]) put(top_.a_data_i, word(0), job_.in_bytes[0]);
    if (offered_[1]) put(top_.b_data_i, word(1), job_.in_bytes[1]);
    if (offered_[2]) put(top_.p_data_i, word(2), job_.in_bytes[2]);
    top_.y_ready_i = !random_.pauses(job_.stall[kInputs]);
  }

  bool ready(int i) const { return (i == 0 ? top_.a_ready_o : i == 1 ? top_.b_ready_o : top_.p_ready_o) != 0; }

  // Offers what has come by now, in its order, one word of each stream, and no word before one that its stream does not take.
  void keep_in_order() {
    credit_ = std::min(credit_ + job_.bytes_a_cycle, job_.bytes_a_cycle + dearest_);
    bool turn[kInputs]{};
    std::uint32_t left = credit_;
    for (std::size_t at = place_; at < order_.size(); ++at) {
      const int i = order_[at];
      if (turn[i] || left < job_.cost[i] || !offered_[i] || !ready(i)) break;
      turn[i] = true;
      left -= job_.cost[i];
    }
    for (int i = 0; i < kInputs; ++i) offered_[i] = turn[i];
  }

  bool take() {
    bool moved = false;
    for (int i = 0; i < kInputs; ++i)
      if (offered_[i] && ready(i)) {
        ++sent_[i];
        ++place_;
        credit_ -= std::min(credit_, job_.cost[i]);
        offered_[i] = false;
        moved = begun_ = true;
      }
    if (top_.y_valid_o && top_.y_ready_i) {
      get(top_.y_data_o, out_.data() + answer_.words * job_.out_bytes, job_.out_bytes);
      ++answer_.words;
      if (top_.y_last_o && answer_.last_at == 0) answer_.last_at = static_cast<std::uint32_t>(answer_.words);
      moved = true;
    }
    return moved;
  }

  VTop& top_;
  const Job& job_;
  Random random_;
  std::vector<std::uint8_t> config_, in_[kInputs], order_, out_;
  std::uint32_t sent_[kInputs]{};
  bool offered_[kInputs]{};
  std::uint32_t credit_ = 0, dearest_ = 0;
  std::size_t place_ = 0;
  bool begun_ = job_.bytes_a_cycle > 0;  // bytes come from the first cycle on
  Answer answer_;
};

}  // namespace

int main() {
  VerilatedContext context;
  context.randReset(2);  // registers begin with anything
  context.randSeed(1);
  VTop top(&context);
  Job job;
  while (std::fread(&job, sizeof(job), 1, stdin) == 1) {
    Run run(top, job);
    const Answer answer = run.go();
    write_all(&answer, sizeof(answer));
    write_all(run.out().data(), run.out().size());
    std::fflush(stdout);
  }
  return 0;
}
