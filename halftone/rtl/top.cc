#include "halftone/rtl/top.h"

#include <fmt/format.h>

#include <algorithm>

namespace halftone::rtl {
namespace {

constexpr const char* kNames[kInputs] = {"a", "b", "p"};

// A word is taken into word_q and stays there; valid_q[n] is set n cycles later, valid_q[latency] beside the result.
// Without an enable the module runs on whatever y_ready_i says, so words enter one at a time.
constexpr const char* kUnstalled = R"(
  logic [{0}:0] valid_q;
  logic [{1}:0] word_q;
  logic [{3}:0] result;
  wire idle = valid_q == '0 && !y_valid_o;
  assign a_ready_o = idle;
  always_ff @(posedge clk_i) begin
    if (idle) word_q <= a_data_i;
    if (valid_q[{2}]) y_data_o <= result;
    if (!rst_ni) begin
      valid_q <= '0;
      y_valid_o <= 1'b0;
    end else begin
      valid_q <= {{valid_q[{2}:0], a_valid_i && idle}};
      if (valid_q[{2}]) y_valid_o <= 1'b1;
      else if (y_ready_i) y_valid_o <= 1'b0;
    end
  end
)";

constexpr const char* kStalled = R"(
  logic [{0}:0] valid_q;
  logic [{1}:0] word_q;
  logic [{3}:0] result;
  logic enable;
  assign a_ready_o = enable;
  always_ff @(posedge clk_i)
    if (!rst_ni) valid_q <= '0;
    else if (enable) begin
      valid_q <= {{valid_q[{2}:0], a_valid_i}};
      word_q <= a_data_i;
    end
  SkidBuffer #(.WIDTH({4})) u_out (
    .clk_i, .rst_ni, .in_data_i(result), .in_valid_i(valid_q[{2}]), .in_ready_o(enable),
    .out_data_o(y_data_o), .out_valid_o(y_valid_o), .out_ready_i(y_ready_i)
  );
)";

}  // namespace

int width_of(const std::vector<Field>& fields) {
  int width = 0;
  for (const Field& field : fields) width += field.width;
  return width;
}

std::string slice_of(const std::string& port, const std::vector<Field>& fields, std::size_t index) {
  int at = 0;
  for (std::size_t i = 0; i < index; ++i) at += fields[i].width;
  return fmt::format("{}[{}:{}]", port, at + fields[index].width - 1, at);
}

Top top_around(std::vector<Field> config, std::vector<int> inputs, int output, const std::string& body) {
  inputs.resize(kInputs);
  std::string ports = fmt::format("  input logic clk_i,\n  input logic rst_ni,\n  input logic [{}:0] config_i,\n", std::max(width_of(config), 1) - 1);
  for (int i = 0; i < kInputs; ++i)
    ports += fmt::format("  input logic [{1}:0] {0}_data_i,\n  input logic {0}_valid_i,\n  output logic {0}_ready_o,\n", kNames[i],
                         std::max(inputs[static_cast<std::size_t>(i)], 1) - 1);
  ports += fmt::format("  output logic [{}:0] y_data_o,\n  output logic y_last_o,\n  output logic y_valid_o,\n  input logic y_ready_i\n", output - 1);
  std::string unused;
  for (int i = 0; i < kInputs; ++i)
    if (inputs[static_cast<std::size_t>(i)] == 0) unused += fmt::format("  assign {}_ready_o = 1'b0;\n", kNames[i]);
  return {std::move(config), std::move(inputs), output, fmt::format("module Top (\n{}); \n{}{}\nendmodule\n", ports, unused, body)};
}

Top top_of(const FunctionModule& function) {
  std::string connections;
  const auto connect = [&](const std::string& port, const std::string& to) {
    connections += fmt::format("{}.{}({})", connections.empty() ? "" : ", ", port, to);
  };
  if (function.latency > 0) connect("clk_i", "clk_i");
  if (function.has_enable) connect("enable_i", "enable");
  for (std::size_t i = 0; i < function.operands.size(); ++i) connect(function.operands[i].name, slice_of("word_q", function.operands, i));
  for (std::size_t i = 0; i < function.still.size(); ++i) connect(function.still[i].name, slice_of("config_i", function.still, i));
  for (std::size_t i = 0; i < function.results.size(); ++i) connect(function.results[i].name, slice_of("result", function.results, i));
  const int words = width_of(function.operands);
  const int output = width_of(function.results);
  const std::string shell = function.has_enable || function.latency == 0
                                ? fmt::format(kStalled, function.latency + 1, words - 1, function.latency, output - 1, output)
                                : fmt::format(kUnstalled, function.latency + 1, words - 1, function.latency, output - 1);
  return top_around(function.still, {words}, output,
                    fmt::format("  assign y_last_o = 1'b0;{}  {} {} u_function ({});", shell, function.module, function.parameters, connections));
}

}  // namespace halftone::rtl
