// Which file a path leads to, whatever it is called there: links and "a/../a" do not matter.
#pragma once

#include <sys/stat.h>

#include <compare>
#include <filesystem>
#include <optional>
#include <string>

namespace halftone {

struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  std::string name;  // of a file that is not there yet: in the folder that device and inode say
  auto operator<=>(const FileIdentity&) const = default;
};

FileIdentity identity_of(const struct stat& status);
// Nothing for a path into a folder that is not there.
std::optional<FileIdentity> identity_of(const std::filesystem::path& path);

// The end of a chain of symbolic links, which need not be there. Throws SystemError for a circle.
std::filesystem::path follow_links(std::filesystem::path path);

}  // namespace halftone
