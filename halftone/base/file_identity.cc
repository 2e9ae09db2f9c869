#include "halftone/base/file_identity.h"

#include "halftone/base/error.h"

namespace halftone {

FileIdentity identity_of(const struct stat& status) {
  return {.device = status.st_dev, .inode = status.st_ino, .name = {}};
}

std::optional<FileIdentity> identity_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return identity_of(status);
  const std::filesystem::path target = follow_links(path);
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  if (::stat(folder.c_str(), &status) != 0) return std::nullopt;
  FileIdentity identity = identity_of(status);
  identity.name = target.filename().string();
  return identity;
}

std::filesystem::path follow_links(std::filesystem::path path) {
  std::error_code error;
  for (int depth = 0; std::filesystem::is_symlink(path, error); ++depth) {
    if (depth == 40) throw SystemError(path.string(), "too many links");
    path = path.parent_path() / std::filesystem::read_symlink(path);
  }
  return path;
}

}  // namespace halftone
