#include <fmt/format.h>

#include <csetjmp>
#include <cstdio>
// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>

#include <vector>

#include "halftone/base/error.h"
#include "halftone/data/picture_rows.h"

namespace halftone::data {
namespace {

// libjpeg reports errors by a callback that must not return.
struct JpegErrors {
  jpeg_error_mgr manager{};
  std::jmp_buf back{};
  char message[JMSG_LENGTH_MAX]{};
};

char* message_of(j_common_ptr info) { return reinterpret_cast<JpegErrors*>(info->err)->message; }

[[noreturn]] void leave(j_common_ptr info) { std::longjmp(reinterpret_cast<JpegErrors*>(info->err)->back, 1); }

[[noreturn]] void leave_on_error(j_common_ptr info) {
  info->err->format_message(info, message_of(info));
  leave(info);
}

// libjpeg mends what it can, and warns of it: level -1. The others are for tracing.
void leave_on_warning(j_common_ptr info, int level) {
  if (level >= 0) return;
  std::snprintf(message_of(info), JMSG_LENGTH_MAX, "data missing or corrupt");
  leave(info);
}

void leave_after_many_scans(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
  std::snprintf(message_of(info), JMSG_LENGTH_MAX, "more than %d scans", kMostScans);
  leave(info);
}

struct Decoder {
  JpegErrors errors;
  jpeg_progress_mgr progress{};
  jpeg_decompress_struct info{};
  std::vector<std::uint8_t> row;
  ~Decoder() { jpeg_destroy_decompress(&info); }
};

// Whatever has a destructor belongs to the caller: longjmp skips what is here.
bool decode_rows(Decoder& decoder, std::span<const std::byte> bytes, PictureRows& rows) {
  jpeg_decompress_struct& info = decoder.info;
  info.err = jpeg_std_error(&decoder.errors.manager);
  decoder.errors.manager.error_exit = leave_on_error;
  decoder.errors.manager.emit_message = leave_on_warning;
  if (setjmp(decoder.errors.back) != 0) return false;
  jpeg_create_decompress(&info);
  decoder.progress.progress_monitor = leave_after_many_scans;
  info.progress = &decoder.progress;
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = JCS_RGB;
  rows.begin(info.image_height, info.image_width);
  decoder.row.resize(static_cast<std::size_t>(3) * info.image_width);
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = decoder.row.data();
    jpeg_read_scanlines(&info, &row, 1);
    rows.row(row, 3);
  }
  jpeg_finish_decompress(&info);
  return true;
}

}  // namespace

void decode_jpeg(std::span<const std::byte> bytes, std::string_view where, PictureRows& rows) {
  Decoder decoder;
  if (!decode_rows(decoder, bytes, rows))
    throw InputError(where, fmt::format("damaged JPEG ({})", decoder.errors.message));
}

}  // namespace halftone::data
