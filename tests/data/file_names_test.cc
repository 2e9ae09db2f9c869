#include "halftone/data/file_names.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <filesystem>

namespace halftone::data {
namespace {

using testing::ElementsAre;

TEST(MemberNames, OrdinaryOnesStay) {
  const std::vector<std::string> names{"conv1", "dense/kernel:0", "layer.0/conv", "a b", "größe", "a//b", "..a", "a..", ".hidden", "x/...", "C", "1:2"};
  EXPECT_EQ(member_names(names), names);
}

TEST(MemberNames, ThoseThatLeadOutBecomeNamesOfFiles) {
  EXPECT_THAT(member_names({"../../x", "/etc/passwd", "..", "a/../../b", "a/..", "C:x", "..\\x", "\\\\server\\x", "a\nb", "a\xe2\x80\xae", "\xff", ""}),
              ElementsAre("______x", "_etc_passwd", "__", "a_______b", "a___", "C_x", "___x", "__server_x", "a_b", "a____", "_", "___"));
}

TEST(MemberNames, StayApartFromEachOtherAndFromThoseThatAreThere) {
  EXPECT_THAT(member_names({"/a", "_a", "\\a", "_a__", "/a"}), ElementsAre("_a_", "_a", "_a___", "_a__", "_a_"));
}

RC_GTEST_PROP(MemberNames, LeadNowhereOutAndAreAsManyAsBefore, ()) {
  std::vector<std::string> names;
  for (int i = *rc::gen::inRange(0, 12); i > 0; --i) {
    std::string name;
    for (int k = *rc::gen::inRange(0, 6); k > 0; --k)
      name += *rc::gen::element<std::string>("a", "_", ".", "..", "/", "\\", ":", "C", "\n", "\xff", std::string(1, '\0'));
    names.push_back(name);
  }
  const std::vector<std::string> members = member_names(names);
  RC_ASSERT(members.size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto path = std::filesystem::path("/folder" ) / members[i];
    RC_ASSERT(!members[i].empty());
    RC_ASSERT(path.lexically_normal().string().starts_with("/folder/"));
    RC_ASSERT(std::ranges::count(members[i], '\\') == 0);
    RC_ASSERT(member_names({members[i]})[0] == members[i]);
    for (std::size_t k = 0; k < i; ++k) RC_ASSERT((members[i] == members[k]) == (names[i] == names[k]));
  }
}

}  // namespace
}  // namespace halftone::data
