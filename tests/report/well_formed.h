// The form that every page and picture is held to.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

namespace halftone::report {

// Whether every element is closed in order and no bare & or < is left: what XML asks for.
inline bool is_well_formed(const std::string& text) {
  static const std::regex kTag(R"(<(/?)([a-z0-9]+)((?: [a-zA-Z0-9-]+="[^"<]*")*)(/?)>)");
  static const std::regex kEntity("&(lt|gt|amp|quot|#39);");
  std::vector<std::string> open;
  std::string rest = std::regex_replace(text, kEntity, "");
  if (rest.find('&') != std::string::npos) return false;
  for (std::sregex_iterator tag(rest.begin(), rest.end(), kTag), end; tag != end; ++tag) {
    const bool closes = (*tag)[1].length() > 0;
    if (closes && (open.empty() || open.back() != (*tag)[2])) return false;
    if (closes)
      open.pop_back();
    else if ((*tag)[4].length() == 0)
      open.push_back((*tag)[2]);
  }
  const std::string bare = std::regex_replace(rest, kTag, "");
  return open.empty() && bare.find('<') == std::string::npos;
}

inline std::string body_of(const std::string& page) {
  const std::string doctype = "<!DOCTYPE html>\n";
  EXPECT_TRUE(page.starts_with(doctype));
  return page.substr(doctype.size());
}

inline void expect_nothing_from_outside(const std::string& page) {
  const std::string bare = std::regex_replace(page, std::regex(" xmlns=\"[^\"]*\""), "");
  for (const char* outside : {"http", "src=", "href=", "url(", "<script", "@import"})
    EXPECT_THAT(bare, testing::Not(testing::HasSubstr(outside)));
}

}  // namespace halftone::report
