// The module `Top` around what is simulated: up to three streams in, one out, and numbers that stay still.
#pragma once

#include <string>
#include <vector>

namespace halftone::rtl {

struct Field {
  std::string name;
  int width = 0;
};

int width_of(const std::vector<Field>& fields);

inline constexpr int kInputs = 3;  // streams that a Top takes: a, b and p

// Ports of Top: clk_i, rst_ni, config_i (fields one after the other, low first), {a,b,p}_{data_i,valid_i,ready_o} and
// y_{data_o,last_o,valid_o,ready_i}. A stream without bits is one bit wide and never used.
struct Top {
  std::vector<Field> config;
  std::vector<int> inputs;   // bits of a word of each stream
  int output = 0;            // bits of a word of y
  std::string text;          // of the module, SystemVerilog
};

// A function that a module computes in LATENCY cycles, a word of operands a cycle.
struct FunctionModule {
  std::string module;
  std::string parameters;           // as "#(.WIDTH(16))", or empty
  std::vector<Field> operands;      // ports
  std::vector<Field> still;         // ports of numbers that stay still
  std::vector<Field> results;       // ports
  int latency = 0;                  // cycles; 0: combinational, without a clock
  bool has_enable = false;
};

// Operands come on stream a, results leave on y, so that stalls reach every stage.
Top top_of(const FunctionModule& function);

// The text of Top around `body`, which has these ports' names to use.
Top top_around(std::vector<Field> config, std::vector<int> inputs, int output, const std::string& body);
// "config_i[8:4]" of a field.
std::string slice_of(const std::string& port, const std::vector<Field>& fields, std::size_t index);

}  // namespace halftone::rtl
