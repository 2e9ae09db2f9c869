#include "cli/outcome.h"

#include <nlohmann/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <system_error>

#include "cli/process.h"
#include "halftone/base/address_space.h"
#include "halftone/base/error.h"
#include "halftone/base/files_in_use.h"
#include "halftone/onnx_io/load.h"

namespace halftone::cli {
namespace {

std::string with_remedy(const Error& error) {
  const std::string remedy = remedy_text(error.remedy());
  return remedy.empty() ? error.what() : fmt::format("{}; {}", error.what(), remedy);
}

}  // namespace

std::string remedy_text(Remedy remedy) {
  switch (remedy) {
    case Remedy::none:
      break;
    case Remedy::give_shapes:
      return "give the sizes that are open with --shape";
    case Remedy::newer_opset:
      return fmt::format("export with operator set 13 or newer ({} to {} are read)", onnx_io::kMinOpset, onnx_io::kMaxOpset);
    case Remedy::fold_constants:
      return "export with constant folding, so that it is a constant in the file";
    case Remedy::write_pairs:
      return "write it with --format qdq";
    case Remedy::symmetric_weights:
      return "use --symmetric or --format qdq";
    case Remedy::keep_float_network:
      return "quantize --float-output writes it";
    case Remedy::fixed_control_flow:
      return "export with fixed control flow: trace the network with inputs of one size";
    case Remedy::unrolled_recurrence:
      return "unroll the recurrence into layers when exporting";
    case Remedy::standard_operators:
      return "export with ONNX's own operators instead of this domain";
    case Remedy::other_operators:
      return "replace it by other operators when exporting, or leave it out of the network";
    case Remedy::other_form:
      return "export this node in another form, or leave it out of the network";
    case Remedy::leave_out:
      return "leave it out of the network when integers alone are needed";
    case Remedy::quantize_again:
      return "quantize the float model again, so that what it reads and gives has scales";
    case Remedy::constant_weights:
      return "export with constant folding when they are constants in training; else --allow-float";
    case Remedy::keep_float:
      return "quantize --allow-float keeps it in float, between conversions";
  }
  return "";
}

int fail(const std::string& program, std::string message, int code) {
  std::ranges::replace(message, '\n', ' ');
  // Standard error may be closed or full; the exit code still says it.
  std::fputs(fmt::format("{}: {}\n", program, shown(message, kMostMessage)).c_str(), stderr);
  return code;
}

void print_text(const std::string& line) { fmt::print("{}\n", shown(line, kAll)); }

void flush_standard_output() {
  if (std::fflush(stdout) != 0) throw std::system_error(errno, std::generic_category(), "cannot write to standard output");
}

void print_json(const nlohmann::json& json) {
  fmt::print("{}\n", json.dump(2, ' ', true, nlohmann::json::error_handler_t::replace));
}

int guarded(const std::string& program, const Run& run) {
  prepare_process();
  const FilesInUse files;
  try {
    expect_left(0);
    const int code = run();
    flush_standard_output();
    return code;
  } catch (const UsageError& error) {
    return fail(program, with_remedy(error), kUsage);
  } catch (const Error& error) {
    return fail(program, with_remedy(error), kBadInput);
  } catch (const std::bad_alloc&) {
    return fail(program, "[memory] not enough memory for this model and batch", kBadInput);
  } catch (const std::filesystem::filesystem_error& error) {
    return fail(program, SystemError(error.path1().string(), error.code().message()).what(), kBadInput);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::broken_pipe) end_by_broken_pipe();
    return fail(program, SystemError("system", error.what()).what(), kBadInput);
  } catch (const std::exception& error) {
    return fail(program, fmt::format("[internal] {}, please report this", error.what()), kBadInput);
  }
}

}  // namespace halftone::cli
