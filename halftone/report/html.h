// One HTML page that needs nothing beside it.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace halftone::report {

struct Page {
  std::string title;
  std::vector<std::pair<std::string, std::string>> facts;  // what it was made with: name and value
  std::string figure;                                      // <svg> elements, as they stand
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> notes;  // a paragraph each
};

// Title, figure, notes, table and facts, with its style inside: no scripts, no links. Well-formed as XML too.
std::string to_html(const Page& page);

}  // namespace halftone::report
