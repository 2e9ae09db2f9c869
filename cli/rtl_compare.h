// The result of `halftone rtl --compare`, as a table and as a page.
#pragma once

#include <string>
#include <vector>

#include "halftone/rtl/compare.h"

namespace halftone::cli {

struct CompareTable {
  std::vector<std::string> titles;
  std::vector<std::vector<std::string>> rows;
};

// One HTML document that needs no other file: charts of cycles, energy and, where there are any, resources, and the table.
std::string compare_page(const std::vector<rtl::CompareRow>& rows, const rtl::Device& device, const rtl::ProductShape& shape, const CompareTable& table);

}  // namespace halftone::cli
