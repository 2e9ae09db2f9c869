// Where a tensor holds what is no number, or none that is finite.
#pragma once

#include <optional>
#include <string>

#include "halftone/base/error.h"
#include "halftone/base/tensor.h"

namespace halftone {

// The place of the first NaN among the elements; nullopt when there is none, and for integers.
std::optional<std::size_t> find_nan(const Tensor& tensor);
// The same for NaN and infinity.
std::optional<std::size_t> find_not_finite(const Tensor& tensor);

// A NaN where only numbers may be. Rows are those of the outermost dimension.
class NotANumber : public InputError {
 public:
  NotANumber(std::string_view where, std::string_view what, std::int64_t row, std::int64_t element);
  // The same, its row counted from that of many at which the tensor's rows begin.
  NotANumber in_rows_from(std::int64_t first) const { return {where_, what_, first + row_, element_}; }

 private:
  std::string where_;
  std::string what_;
  std::int64_t row_;
  std::int64_t element_;
};

// Throws NotANumber for the first NaN: "[where] what, element 5 of row 2, got not a number (NaN), expected a number".
void refuse_nan(std::string_view where, std::string_view what, const Tensor& tensor);

}  // namespace halftone
