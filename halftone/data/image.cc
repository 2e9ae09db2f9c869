#include "halftone/data/image.h"

#include <fmt/format.h>
#include <png.h>

#include <csetjmp>
#include <cstdio>
// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/base/file.h"

namespace halftone::data {
namespace {

constexpr std::int64_t kMaxSide = 1 << 15;
constexpr std::int64_t kMaxPixels = std::int64_t{1} << 26;
constexpr std::size_t kMaxImageBytes = std::size_t{256} << 20;

void check_size(std::int64_t width, std::int64_t height, std::string_view where) {
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide || width * height > kMaxPixels)
    throw InputError(where, fmt::format("picture of {}x{}, expected sides of 1 to {} and at most {} pixels",
                                        width, height, kMaxSide, kMaxPixels));
}

// Interleaved rows of `samples` a pixel to planes of the first three.
Tensor planes(const std::vector<std::uint8_t>& pixels, std::size_t samples, std::int64_t height,
              std::int64_t width) {
  Tensor image(DType::uint8, {3, height, width});
  auto out = image.mutable_data<std::uint8_t>();
  const auto area = static_cast<std::size_t>(height * width);
  for (std::size_t i = 0; i < area; ++i)
    for (std::size_t c = 0; c < 3; ++c) out[c * area + i] = pixels[samples * i + c];
  return image;
}

Tensor decode_png(std::span<const std::byte> bytes, std::string_view where) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&header, bytes.data(), bytes.size()) == 0)
    throw InputError(where, fmt::format("damaged PNG ({})", header.message));
  struct Free {
    png_image& image;
    ~Free() { png_image_free(&image); }
  } free{header};
  check_size(header.width, header.height, where);
  header.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // 16-bit samples are cut, not converted
  header.format = PNG_FORMAT_RGBA;            // so that transparency is dropped, not composed
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(header));
  if (png_image_finish_read(&header, nullptr, pixels.data(), 0, nullptr) == 0)
    throw InputError(where, fmt::format("damaged PNG ({})", header.message));
  return planes(pixels, 4, header.height, header.width);
}

// libjpeg reports errors by a callback that must not return.
struct JpegErrors {
  jpeg_error_mgr manager{};
  std::jmp_buf back{};
  char message[JMSG_LENGTH_MAX]{};
};

[[noreturn]] void leave(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  info->err->format_message(info, errors->message);
  std::longjmp(errors->back, 1);
}

// Nothing here has a destructor that longjmp could skip: the caller owns `pixels` and throws.
bool decode_jpeg_rows(std::span<const std::byte> bytes, JpegErrors& errors, std::vector<std::uint8_t>& pixels,
                      std::int64_t& height, std::int64_t& width) {
  jpeg_decompress_struct info{};
  info.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = leave;
  errors.manager.output_message = [](j_common_ptr) {};  // warnings are counted, not printed
  if (setjmp(errors.back) != 0) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = JCS_RGB;
  height = info.image_height;
  width = info.image_width;
  if (height <= kMaxSide && width <= kMaxSide && width * height <= kMaxPixels) {
    jpeg_start_decompress(&info);
    pixels.resize(static_cast<std::size_t>(3 * height * width));
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = pixels.data() +
                     static_cast<std::size_t>(info.output_scanline) * static_cast<std::size_t>(3 * width);
      jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
  }
  jpeg_destroy_decompress(&info);
  return true;
}

Tensor decode_jpeg(std::span<const std::byte> bytes, std::string_view where) {
  JpegErrors errors;
  std::vector<std::uint8_t> pixels;
  std::int64_t height = 0;
  std::int64_t width = 0;
  if (!decode_jpeg_rows(bytes, errors, pixels, height, width))
    throw InputError(where, fmt::format("damaged JPEG ({})", errors.message));
  // libjpeg mends what it can and counts what it mended.
  if (errors.manager.num_warnings > 0) throw InputError(where, "damaged JPEG (data missing or corrupt)");
  check_size(width, height, where);
  return planes(pixels, 3, height, width);
}

// Weights of the inputs that one output of a resized line sees: a triangle as wide as the shrinking.
struct Filter {
  std::int64_t first = 0;
  std::vector<double> weights;
};

std::vector<Filter> triangle_filters(std::int64_t from, std::int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double support = std::max(scale, 1.0);
  std::vector<Filter> filters(static_cast<std::size_t>(to));
  for (std::size_t o = 0; o < filters.size(); ++o) {
    const double centre = (static_cast<double>(o) + 0.5) * scale;
    const auto first =
        std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(centre - support + 0.5)));
    const auto last = std::min(from, static_cast<std::int64_t>(std::floor(centre + support + 0.5)));
    double sum = 0.0;
    filters[o].first = first;
    for (std::int64_t i = first; i < last; ++i) {
      filters[o].weights.push_back(
          std::max(0.0, 1.0 - std::fabs(static_cast<double>(i) + 0.5 - centre) / support));
      sum += filters[o].weights.back();
    }
    for (double& weight : filters[o].weights) weight /= sum;
  }
  return filters;
}

// [3, H, W] resized along W, then turned to [3, W', H].
std::vector<double> resize_lines(const std::vector<double>& in, std::int64_t lines, std::int64_t from,
                                 std::int64_t to) {
  const std::vector<Filter> filters = triangle_filters(from, to);
  std::vector<double> out(static_cast<std::size_t>(3 * lines * to));
  for (std::int64_t c = 0; c < 3; ++c)
    for (std::int64_t line = 0; line < lines; ++line)
      for (std::int64_t o = 0; o < to; ++o) {
        const Filter& filter = filters[static_cast<std::size_t>(o)];
        double sum = 0.0;
        for (std::size_t i = 0; i < filter.weights.size(); ++i)
          sum +=
              filter.weights[i] * in[static_cast<std::size_t>((c * lines + line) * from + filter.first) + i];
        out[static_cast<std::size_t>((c * to + o) * lines + line)] = sum;
      }
  return out;
}

// [3, height, width], before rounding.
std::vector<double> resized(const Tensor& image, std::int64_t height, std::int64_t width) {
  const std::int64_t h = image.dim(1);
  const std::int64_t w = image.dim(2);
  if (height * width > kMaxPixels)
    throw InputError(
        "resize", fmt::format("{}x{} to {}x{}, expected at most {} pixels", w, h, width, height, kMaxPixels));
  const auto pixels = image.data<std::uint8_t>();
  const std::vector<double> wide(pixels.begin(), pixels.end());
  return resize_lines(resize_lines(wide, h, w, width), width, h, height);
}

// `from` is [3, h, w].
Tensor cut_centre(const std::vector<double>& from, std::int64_t h, std::int64_t w, std::int64_t height,
                  std::int64_t width) {
  Tensor out(DType::uint8, {3, height, width});
  auto values = out.mutable_data<std::uint8_t>();
  const std::int64_t top = (h - height) / 2;
  const std::int64_t left = (w - width) / 2;
  for (std::int64_t c = 0; c < 3; ++c)
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x)
        values[static_cast<std::size_t>((c * height + y) * width + x)] = static_cast<std::uint8_t>(std::clamp(
            std::floor(from[static_cast<std::size_t>((c * h + top + y) * w + left + x)] + 0.5), 0.0, 255.0));
  return out;
}

}  // namespace

Tensor read_image(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path, kMaxImageBytes);
  const auto starts = [&](std::initializer_list<int> magic) {
    return bytes.size() > magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin(),
                                                     [](int m, std::byte b) { return std::byte(m) == b; });
  };
  if (starts({0x89, 'P', 'N', 'G'})) return decode_png(bytes, path.string());
  if (starts({0xff, 0xd8})) return decode_jpeg(bytes, path.string());
  throw InputError(path.string(), "neither a PNG nor a JPEG picture");
}

Tensor resize(const Tensor& image, std::int64_t height, std::int64_t width) {
  return cut_centre(resized(image, height, width), height, width, height, width);
}

Tensor resize_and_crop(const Tensor& image, std::int64_t side, std::int64_t height, std::int64_t width) {
  const std::int64_t h = image.dim(1);
  const std::int64_t w = image.dim(2);
  const double scale = static_cast<double>(side) / static_cast<double>(std::min(h, w));
  const auto new_h =
      std::max(height, static_cast<std::int64_t>(std::llround(static_cast<double>(h) * scale)));
  const auto new_w = std::max(width, static_cast<std::int64_t>(std::llround(static_cast<double>(w) * scale)));
  return cut_centre(resized(image, new_h, new_w), new_h, new_w, height, width);
}

}  // namespace halftone::data
