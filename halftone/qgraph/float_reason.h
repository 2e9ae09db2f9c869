// Why a node stays float between integers.
#pragma once

#include <string>
#include <utility>

namespace halftone::qgraph {

enum class FloatCause {
  no_form,        // the operator, or this form of it, has none in integers
  not_quantized,  // a value that it reads or gives has no scale, or its weights are floats
  not_constant,   // its weights are computed
  kept,           // a rule of the recipe says so
};

// Empty: it does not.
struct FloatReason {
  FloatReason() = default;
  FloatReason(const char* words, FloatCause why = FloatCause::no_form) : text(words), cause(why) {}
  FloatReason(std::string words, FloatCause why = FloatCause::no_form) : text(std::move(words)), cause(why) {}

  bool empty() const { return text.empty(); }

  std::string text;
  FloatCause cause = FloatCause::no_form;
};

}  // namespace halftone::qgraph
