#include "halftone/report/html.h"

#include <fmt/format.h>

#include "halftone/report/markup.h"

namespace halftone::report {
namespace {

constexpr std::string_view kStyle =
    "body{font-family:sans-serif;color:#1a1a1a;margin:2rem auto;max-width:64rem;padding:0 1rem}"
    "h1{font-size:1.4rem}figure{margin:1rem 0;overflow-x:auto}"
    "table{border-collapse:collapse;font-size:.9rem;margin:1rem 0}"
    "th,td{border:1px solid #ccc;padding:.25rem .6rem;text-align:right}"
    "dl{display:grid;grid-template-columns:max-content auto;gap:.2rem 1rem;font-size:.9rem}"
    "dt{color:#555}dd{margin:0;overflow-wrap:anywhere}";

std::string row_of(const std::vector<std::string>& cells, std::string_view tag) {
  std::string row = "<tr>";
  for (const std::string& cell : cells) row += fmt::format("<{0}>{1}</{0}>", tag, escaped(cell));
  return row + "</tr>\n";
}

}  // namespace

std::string to_html(const Page& page) {
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>{0}</title>\n"
      "<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n<figure>\n{2}</figure>\n",
      escaped(page.title), kStyle, page.figure);
  for (const std::string& note : page.notes) html += fmt::format("<p>{}</p>\n", escaped(note));
  html += "<table>\n" + row_of(page.columns, "th");
  for (const auto& row : page.rows) html += row_of(row, "td");
  html += "</table>\n<dl>\n";
  for (const auto& [name, value] : page.facts)
    html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(value));
  return html + "</dl>\n</body>\n</html>\n";
}

}  // namespace halftone::report
