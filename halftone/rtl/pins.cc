#include "halftone/rtl/pins.h"

#include <fmt/format.h>

#include <algorithm>

namespace halftone::rtl {

std::string pins_around(const Top& top) {
  const int config = std::max(width_of(top.config), 1), a = std::max(top.inputs[0], 1), b = std::max(top.inputs[1], 1), p = std::max(top.inputs[2], 1);
  return fmt::format(R"(module Pins (
  input logic clk_i,
  input logic rst_ni,
  input logic din_i,
  input logic [2:0] valid_i,
  input logic ready_i,
  output logic [2:0] ready_o,
  output logic valid_o,
  output logic parity_o
);
  logic [{total}:0] in_q;
  logic rst_q, ready_q, valid, last, last_q;
  logic [2:0] valid_q, ready;
  logic [{output}:0] y, y_q;

  always_ff @(posedge clk_i) begin
    in_q <= {{in_q[{total}-1:0], din_i}};
    rst_q <= rst_ni;
    valid_q <= valid_i;
    ready_q <= ready_i;
    ready_o <= ready;
    valid_o <= valid;
    y_q <= y;
    last_q <= last;
    parity_o <= ^{{last_q, y_q}};
  end
  Top u_top (
    .clk_i, .rst_ni(rst_q), .config_i(in_q[{config}-1:0]),
    .a_data_i(in_q[{config}+:{a}]), .a_valid_i(valid_q[0]), .a_ready_o(ready[0]),
    .b_data_i(in_q[{config}+{a}+:{b}]), .b_valid_i(valid_q[1]), .b_ready_o(ready[1]),
    .p_data_i(in_q[{config}+{a}+{b}+:{p}]), .p_valid_i(valid_q[2]), .p_ready_o(ready[2]),
    .y_data_o(y), .y_last_o(last), .y_valid_o(valid), .y_ready_i(ready_q)
  );
endmodule
)",
                     fmt::arg("total", config + a + b + p - 1), fmt::arg("output", top.output - 1), fmt::arg("config", config), fmt::arg("a", a), fmt::arg("b", b),
                     fmt::arg("p", p));
}

}  // namespace halftone::rtl
