#include <memory>

#include "cli/commands.h"
#include "cli/rtl_options.h"
#include "halftone/base/error.h"

namespace halftone::cli {
namespace {

// A model, its layer and its samples belong together.
void expect_consistent(const RtlOptions& options) {
  if (options.prove + options.compare + options.simulate + (options.synthesize && !options.compare) > 1) throw UsageError("rtl", "several of --simulate, --synthesize, --compare and --prove, expected one");
  const bool wants_model = !options.layer.empty() || !options.lab6.empty();
  if (wants_model && options.model.empty()) throw UsageError("rtl", "--layer and --lab6 are of a model, expected a file too");
  if (!wants_model && !options.model.empty()) throw UsageError("rtl", "a model without --layer, expected the layer that becomes hardware");
  if (!options.model.empty() && !options.simulate) throw UsageError("--layer", "expected --simulate");
  if (!options.model.empty() && !options.data.given()) throw UsageError("--data", "is missing, expected samples that the layer runs on");
  if (!options.html.empty() && !options.compare) throw UsageError("--html", "is the page of --compare, expected that too");
  if (options.model.empty() && options.data.given()) throw UsageError("--data", "is for a layer of a model, expected --layer");
}

int run_rtl(const RtlOptions& options) {
  expect_consistent(options);
  if (!options.lab6.empty()) return run_lab6(options);
  if (!options.layer.empty()) return simulate_layer(options);
  if (options.prove) return prove_library(options);
  if (options.compare) return compare_designs(options);
  if (options.simulate) return simulate_array(options);
  if (options.synthesize) return synthesize_array(options);
  throw UsageError("rtl", "nothing to do, expected --simulate, --synthesize, --compare or --prove");
}

void add_layer_options(Command command, RtlOptions& options) {
  command.add_option("model", options.model, "Model in integers, of which --layer becomes hardware");
  const Option layer = command.add_option("--layer", options.layer, "A Gemm, MatMul or Conv: its samples run on the array in place of the interpreter, and every output is compared");
  command.add_option("--lab6", options.lab6, "Lab 6's pipeline of a float MLP, its second product on one multiplier: sums of 16 bits are clamped to 8 (clamp), or their low 8 bits kept (low8)")
      .one_of({"clamp", "low8"})
      .excludes(layer);
  command.add_option("--fraction-length", options.fraction_length, "Fraction length of the 8-bit values that --lab6 multiplies").within(0, 15).show_default();
  options.data.may_be_missing = true;
  options.data.add_to(command.add_group("Samples"), data::Part::test, "Samples to run (otherwise all)");
}

void add_array_options(Command group, RtlOptions& options) {
  group.add_option("--array", options.array, "Rows and columns of the array that multiplies matrices").show_default();
  group.add_option("--shape", options.shape, "The product: rows of A, its columns, columns of B").show_default();
  group.add_option("--bits", options.bits, "Bits of both operands: 8; 4 or 2, whose multipliers are LUTs; 1: weights of -1 and +1, activations of 0 and 1")
      .one_of({8, 4, 2, 1})
      .show_default();
  group.add_flag("--packed", options.packed, "Two products of 8 bits a multiplier, which needs an even number of rows");
  group.add_option("--lanes", options.lanes, "Requantizers; they divide the rows (otherwise as few as drain a tile while the next one computes)").within(1, 256);
  group.add_option("--accumulator", options.acc_width, "Bits of sums (otherwise as the shape's largest sum and a bias as large need)").within(10, 32);
  group.add_option("--mantissa", options.mantissa, "Bits of the multiplier of arithmetic 'fixed'").one_of({8, 16, 32}).show_default();
  group.add_option("--rounding", options.rounding, "How results are rounded").one_of({"half_even", "half_away", "half_up"}).show_default();
}

void add_simulation_options(Command group, RtlOptions& options) {
  group.add_flag("--simulate", options.simulate, "Run it in Verilator, and compare every output with the arithmetic");
  group.add_option("--outputs", options.outputs, "Outputs to compare, at least").within(1, 1'000'000'000).show_default();
  group.add_option("--stalls", options.stalls, "Per cent of cycles in which a stream pauses, at random, in two thirds of the products").within(0, 90).show_default();
  group.add_option("--bytes-a-cycle", options.bytes_a_cycle, "All streams in share so many bytes a cycle; 0: each takes a word a cycle").within(0, 4096).show_default();
  group.add_option("--seed", options.seed, "Decides the numbers").show_default();
  group.add_option("--kept", options.kept, "Folder in which simulations are kept once they are built (otherwise halftone/rtl in the user's cache)");
}

void add_synthesis_options(Command group, RtlOptions& options) {
  group.add_flag("--synthesize", options.synthesize, "Say what it takes of the device, by Yosys; ecp5-85 and up5k: place and route it too, and write the bitstream");
  group.add_option("--device", options.device, "xc7z020, xc7z010, xc7a35t, xc7a100t, ecp5-85 or up5k (otherwise xc7z020)");
  group.add_option("--mhz", options.mhz, "The clock that place and route is asked for; a slower one ends with 1").within(0.0, 1000.0);
  group.add_option("-o,--output", options.output, "Folder for the modules, the report and the bitstream");
}

}  // namespace

void add_rtl(Command app, Run& run) {
  auto options = std::make_shared<RtlOptions>();
  const Command command = app.add_command("rtl", "Hardware that computes the same integers: simulated and compared");
  command.footer(
      "Examples: halftone rtl --array 32x13 --packed --mantissa 16 --simulate\n"
      "halftone rtl mlp.int8.onnx --layer fc2 --simulate --data mnist --samples 1000");
  add_layer_options(command, *options);
  add_array_options(command.add_group("Array"), *options);
  add_simulation_options(command.add_group("Simulation"), *options);
  add_synthesis_options(command.add_group("Synthesis"), *options);
  command.add_flag("--compare", options->compare, "One product on designs of one multiplier and on arrays of 8, 4, 2 and 1 bit, beside Lab 6's figures; with --synthesize their resources");
  command.add_option("--html", options->html, "The page of --compare to write: its table and charts").value_name("FILE");
  command.add_flag("--prove", options->prove, "Prove the modules' arithmetic for every input, by z3");
  command.add_option("--limit", options->limit, "Seconds that a proof may take").within(1, 86'400).show_default();
  command.add_flag("--json", options->json, "Print the result as JSON");
  command.when_chosen([options, &run] { run = [options] { return run_rtl(*options); }; });
}

}  // namespace halftone::cli
