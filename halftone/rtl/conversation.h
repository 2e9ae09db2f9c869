// A program that reads from us and answers.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <span>

#include "halftone/base/descriptor.h"

namespace halftone::rtl {

class Conversation {
 public:
  // Throws SystemError where it cannot be started. The program ends with this.
  explicit Conversation(const std::filesystem::path& program);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // Throw SystemError when the program has ended.
  void say(std::span<const std::byte> bytes);
  void hear(std::span<std::byte> bytes);

 private:
  [[noreturn]] void has_ended() const;

  std::filesystem::path program_;
  pid_t child_ = -1;
  Descriptor to_;
  Descriptor from_;
};

}  // namespace halftone::rtl
