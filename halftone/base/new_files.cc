#include "halftone/base/new_files.h"

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/base/file.h"

namespace halftone {

void NewFiles::add(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  if (is_special_file(path)) {
    specials_.push_back({path, {bytes.begin(), bytes.end()}});
    return;
  }
  auto file = std::make_unique<NewFile>(path);
  file->write(bytes);
  add(path, std::move(file));
}

void NewFiles::add(const std::filesystem::path& path, std::string_view text) {
  add(path, std::as_bytes(std::span(text.data(), text.size())));
}

void NewFiles::note(const std::filesystem::path& path) {
  const auto target = identity_of(path);
  if (target && !targets_.insert(*target).second)
    throw UsageError(path.string(), "given for two outputs, expected a file for each");
}

void NewFiles::add(const std::filesystem::path& path, std::unique_ptr<NewFile> file) {
  note(path);
  file->finish();
  files_.push_back(std::move(file));
}

void NewFiles::add_first(const std::filesystem::path& path, std::string_view text) {
  const std::size_t before = files_.size();
  add(path, text);
  if (files_.size() > before) std::ranges::rotate(files_, files_.end() - 1);
}

void NewFiles::publish() {
  for (const Special& special : specials_) write_special(special.path, special.bytes);
  std::vector<NewFile*> files;
  for (const auto& file : files_) files.push_back(file.get());
  NewFile::publish(files);
  specials_.clear();
  files_.clear();
  targets_.clear();
}

}  // namespace halftone
