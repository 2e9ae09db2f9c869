#include "halftone/onnx_io/model_proto.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/base/file_reader.h"

namespace halftone::onnx_io {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

constexpr int kMaxModelBytes = std::numeric_limits<int>::max();  // protobuf counts in it

// A file as protobuf wants its input. What the file throws waits until protobuf has returned.
class FileInput : public google::protobuf::io::ZeroCopyInputStream {
 public:
  explicit FileInput(FileReader& file) : file_(file) {}

  bool Next(const void** data, int* size) override {
    try {
      if (kept_ == 0) {
        block_ = file_.next();
        kept_ = block_.size();
      }
    } catch (...) {
      error_ = std::current_exception();
      return false;
    }
    *data = block_.data() + (block_.size() - kept_);
    *size = static_cast<int>(kept_);
    count_ += *size;
    kept_ = 0;
    return *size > 0;
  }
  void BackUp(int count) override {
    kept_ = static_cast<std::size_t>(count);
    count_ -= count;
  }
  bool Skip(int count) override {
    const void* data = nullptr;
    int size = 0;
    while (count > 0 && Next(&data, &size)) {
      if (size > count) BackUp(size - count);
      count -= std::min(size, count);
    }
    return count == 0;
  }
  std::int64_t ByteCount() const override { return count_; }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  FileReader& file_;
  std::span<const std::byte> block_;
  std::size_t kept_ = 0;  // bytes at the end of the block to hand out again
  std::int64_t count_ = 0;
  std::exception_ptr error_;
};

// Whether this many bytes may follow, as far as the lengths around them tell.
bool may_follow(CodedInputStream& input, int bytes) {
  const int limit = input.BytesUntilLimit();
  return bytes >= 0 && (limit < 0 || bytes <= limit);
}

// The length is the file's claim: memory beyond this is taken as the bytes arrive, unless they are known to
// be there.
constexpr int kBytesOnTrust = 1 << 26;

bool read_bytes(CodedInputStream& input, bool size_is_known, std::string& bytes) {
  int size = 0;
  if (!input.ReadVarintSizeAsInt(&size) || !may_follow(input, size)) return false;
  bytes.clear();
  int done = 0;
  while (done < size) {
    const int step = size_is_known ? size : std::min(size - done, std::max(kBytesOnTrust, done));
    bytes.resize(static_cast<std::size_t>(done) + static_cast<std::size_t>(step));
    if (!input.ReadRaw(bytes.data() + done, step)) return false;
    done += step;
  }
  return true;
}

constexpr std::uint32_t length_delimited(int field) {
  return static_cast<std::uint32_t>(field) << 3 | WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
}

class Parser {
 public:
  // `size_is_known`: the input has a limit that is the true size of the data.
  Parser(CodedInputStream& input, bool size_is_known) : input_(input), size_is_known_(size_is_known) {}

  // Walks the fields of a message up to the limit; those on the way to the bytes of tensors are read here,
  // the rest is left to protobuf.
  template <typename Message>
  bool parse(Message& message) {
    std::string rest;
    {
      StringOutputStream stream(&rest);
      CodedOutputStream copy(&stream);
      while (const std::uint32_t tag = input_.ReadTag()) {
        bool ok = true;
        if (!enter(tag, message, ok)) ok = WireFormatLite::SkipField(&input_, tag, &copy);
        if (!ok) return false;
      }
    }
    if (!input_.ConsumedEntireMessage() || !message.MergeFromString(rest)) return false;
    finish(message);
    return true;
  }

 private:
  template <typename Message>
  bool nested(Message& message) {
    int size = 0;
    if (!input_.ReadVarintSizeAsInt(&size) || !may_follow(input_, size)) return false;
    const CodedInputStream::Limit outer = input_.PushLimit(size);
    const bool ok = parse(message) && input_.BytesUntilLimit() == 0;
    input_.PopLimit(outer);
    return ok;
  }

  // Each says whether the field is one of those on the way, and reads it.
  bool enter(std::uint32_t tag, onnx::ModelProto& model, bool& ok) {
    if (tag != length_delimited(onnx::ModelProto::kGraphFieldNumber)) return false;
    ok = nested(*model.mutable_graph());
    return true;
  }
  bool enter(std::uint32_t tag, onnx::GraphProto& graph, bool& ok) {
    if (tag == length_delimited(onnx::GraphProto::kInitializerFieldNumber))
      ok = nested(*graph.add_initializer());
    else if (tag == length_delimited(onnx::GraphProto::kNodeFieldNumber))
      ok = nested(*graph.add_node());
    else
      return false;
    return true;
  }
  bool enter(std::uint32_t tag, onnx::NodeProto& node, bool& ok) {
    if (tag != length_delimited(onnx::NodeProto::kAttributeFieldNumber)) return false;
    ok = nested(*node.add_attribute());
    return true;
  }
  bool enter(std::uint32_t tag, onnx::AttributeProto& attribute, bool& ok) {
    if (tag != length_delimited(onnx::AttributeProto::kTFieldNumber)) return false;
    ok = nested(*attribute.mutable_t());
    return true;
  }
  bool enter(std::uint32_t tag, onnx::TensorProto& tensor, bool& ok) {
    if (tag == length_delimited(onnx::TensorProto::kRawDataFieldNumber)) {
      ok = read_bytes(input_, size_is_known_, *tensor.mutable_raw_data());
      raw_are_floats_of_ = nullptr;
    } else if (tag == length_delimited(onnx::TensorProto::kFloatDataFieldNumber)) {
      ok = read_packed_floats(tensor);
    } else {
      return false;
    }
    return true;
  }

  // Packed floats are the bytes of the floats. Many of them go to raw_data, where a tensor can take them
  // over, until the type of the tensor says that they are something else.
  bool read_packed_floats(onnx::TensorProto& tensor) {
    constexpr std::size_t kMany = std::size_t{1} << 20;
    std::string bytes;
    if (!read_bytes(input_, size_is_known_, bytes) || bytes.size() % sizeof(float) != 0) return false;
    if (raw_are_floats_of_ == &tensor) {
      tensor.mutable_raw_data()->append(bytes);
    } else if (bytes.size() >= kMany && !tensor.has_raw_data() && tensor.float_data().empty()) {
      tensor.set_raw_data(std::move(bytes));
      raw_are_floats_of_ = &tensor;
    } else {
      append(tensor, bytes);
    }
    return true;
  }

  static void append(onnx::TensorProto& tensor, const std::string& bytes) {
    auto& floats = *tensor.mutable_float_data();
    const int before = floats.size();
    floats.Resize(before + static_cast<int>(bytes.size() / sizeof(float)), 0.0F);
    if (!bytes.empty()) std::memcpy(floats.mutable_data() + before, bytes.data(), bytes.size());
  }

  template <typename Message>
  void finish(Message&) {}
  void finish(onnx::TensorProto& tensor) {
    if (raw_are_floats_of_ == &tensor && tensor.data_type() != onnx::TensorProto::FLOAT) {
      append(tensor, tensor.raw_data());
      tensor.clear_raw_data();
    }
    raw_are_floats_of_ = nullptr;
  }

  CodedInputStream& input_;
  bool size_is_known_;
  const onnx::TensorProto* raw_are_floats_of_ = nullptr;
};

void expect_model(bool parsed, const onnx::ModelProto& model, std::string_view where) {
  if (!parsed) throw InputError(where, "not an ONNX model, or a damaged one");
  if (!model.has_graph()) throw InputError(where, "not an ONNX model: no graph in it");
}

}  // namespace

// Without a limit the end of the file ends the model, and its checksum has been compared by then.
onnx::ModelProto read_model_proto(const std::filesystem::path& path) {
  FileReader file(path, kMaxModelBytes);
  FileInput blocks(file);
  onnx::ModelProto model;
  bool parsed = false;
  {
    CodedInputStream input(&blocks);
    if (file.size()) input.PushLimit(static_cast<int>(*file.size()));
    parsed = Parser(input, file.size().has_value()).parse(model);
  }
  blocks.rethrow();
  expect_model(parsed && blocks.ByteCount() > 0, model, path.string());
  return model;
}

onnx::ModelProto parse_model_proto(std::span<const std::byte> bytes, std::string_view where) {
  onnx::ModelProto model;
  bool parsed = !bytes.empty() && bytes.size() <= kMaxModelBytes;
  if (parsed) {
    const auto size = static_cast<int>(bytes.size());
    CodedInputStream input(reinterpret_cast<const std::uint8_t*>(bytes.data()), size);
    input.PushLimit(size);
    parsed = Parser(input, true).parse(model);
  }
  expect_model(parsed, model, where);
  return model;
}

}  // namespace halftone::onnx_io
