// The makers of steps: one file of steps/ each. Shapes were inferred and checked before.
#pragma once

#include "halftone/engine/step.h"
#include "halftone/ir/executor.h"
#include "halftone/kernels/isa.h"

namespace halftone::engine {

using MakeExecutor = std::function<std::unique_ptr<ir::Executor>(const ir::Graph&)>;

// A float value, row-major, to integers. Throws InputError naming the value for NaN when it runs.
Work quantize_step(const qgraph::Quantize& op, kernels::Isa isa, SlotPointer x, SlotPointer y);
Work dequantize_step(const qgraph::Dequantize& op, SlotPointer x, SlotPointer y);
// The same elements in another layout: integers with a grid keep their q, others their bytes.
Work copy_step(SlotPointer x, SlotPointer y);
// An input of the network that is integers with a grid. Throws InputError naming the value for one outside of its format.
Work import_step(SlotPointer x, SlotPointer y);

// One sample of a value as tensors hold it, row-major; `places` are its layout's.
Tensor tensor_of(const Slot& x, const Memory& memory, std::int64_t sample, const std::vector<std::int64_t>& places);
void export_sample(const Slot& x, const Memory& memory, std::int64_t sample, const std::vector<std::int64_t>& places, std::byte* to);

// Whether kernels take the layer: its sums fit int32, its weights those of bytes or words.
bool has_kernels(const qgraph::Linear& linear, const Layout& x, const Layout& y);
Work gemm_step(const qgraph::Gemm& op, kernels::Isa isa, SlotPointer x, SlotPointer y);
Work conv_step(const qgraph::Conv& op, kernels::Isa isa, SlotPointer x, SlotPointer y);
// Any Gemm or Conv, one output after another: weights by group, wide sums.
Work wide_gemm_step(const qgraph::Gemm& op, SlotPointer x, SlotPointer y);
Work wide_conv_step(const qgraph::Conv& op, SlotPointer x, SlotPointer y);

Work table_step(const qgraph::Table& op, kernels::Isa isa, SlotPointer x, SlotPointer y);
Work requantize_step(const qgraph::Requantize& op, kernels::Isa isa, SlotPointer x, SlotPointer y);
Work add_step(const qgraph::Add& op, kernels::Isa isa, SlotPointer a, SlotPointer b, SlotPointer y);
Work mul_step(const qgraph::Mul& op, SlotPointer a, SlotPointer b, SlotPointer y);
Work extreme_step(const qgraph::Extreme& op, std::vector<SlotPointer> x, SlotPointer y);
Work max_pool_step(const qgraph::MaxPool& op, kernels::Isa isa, SlotPointer x, SlotPointer y);
Work average_pool_step(const qgraph::AveragePool& op, kernels::Isa isa, SlotPointer x, SlotPointer y);

Work move_step(const qgraph::Move& op, SlotPointer x, SlotPointer y);
Work concat_step(const qgraph::Concat& op, std::vector<SlotPointer> x, SlotPointer y);
Work pad_step(const qgraph::Pad& op, SlotPointer x, SlotPointer y);
Work constant_step(const qgraph::Constant& op, SlotPointer y);

// The whole graph on an executor of its own. Its values are shown where a run has a visitor.
Work island_step(const qgraph::Island& op, const MakeExecutor& make_executor, std::vector<SlotPointer> x, std::vector<SlotPointer> y);

// Fills the border of a value.
Work border_step(SlotPointer y);

}  // namespace halftone::engine
