#include "halftone/report/html.h"

#include <fmt/format.h>

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
  for (const std::string& cell : cells) row += fmt::format("<{0}>{1}</{0}>", tag, escape_html(cell));
  return row + "</tr>\n";
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string to_html(const Page& page) {
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{0}</title>\n"
      "<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n<figure>\n{2}</figure>\n",
      escape_html(page.title), kStyle, page.figure);
  for (const std::string& note : page.notes) html += fmt::format("<p>{}</p>\n", escape_html(note));
  html += "<table>\n" + row_of(page.columns, "th");
  for (const auto& row : page.rows) html += row_of(row, "td");
  html += "</table>\n<dl>\n";
  for (const auto& [name, value] : page.facts)
    html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape_html(name), escape_html(value));
  return html + "</dl>\n</body>\n</html>\n";
}

}  // namespace halftone::report
