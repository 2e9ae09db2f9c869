#include "cli/testbench_files.h"

#include <algorithm>
#include <cctype>
#include <span>

#include "halftone/data/file_names.h"
#include "halftone/data/npy.h"

namespace halftone::cli {
namespace {

constexpr const char* kHeader = "testbench.h";

// Letters and digits with one _ for what is between, and a letter first.
std::string identifier_from(const std::string& name) {
  std::string identifier;
  for (unsigned char c : name) {
    const bool plain = std::isalnum(c) != 0;
    if (plain) identifier += static_cast<char>(c);
    if (!plain && !identifier.empty() && identifier.back() != '_') identifier += '_';
  }
  return identifier.empty() || std::isalpha(static_cast<unsigned char>(identifier[0])) == 0 ? "n" + identifier : identifier;
}

// A line for each member of an object and each object of a list; lists of numbers on one line.
void write_json(std::string& out, const OrderedJson& json, std::size_t depth) {
  const bool nested = json.is_object() || (json.is_array() && std::ranges::any_of(json, [](const OrderedJson& each) { return each.is_structured(); }));
  if (!nested || json.empty()) {
    out += json.dump(-1, ' ', /*ensure_ascii=*/true, OrderedJson::error_handler_t::replace);
    return;
  }
  const std::string indent(depth + 1, ' ');
  out += json.is_object() ? '{' : '[';
  bool first = true;
  for (const auto& [key, value] : json.items()) {
    out += (first ? "\n" : ",\n") + indent;
    if (json.is_object()) out += OrderedJson(key).dump(-1, ' ', true, OrderedJson::error_handler_t::replace) + ": ";
    write_json(out, value, depth + 1);
    first = false;
  }
  out += "\n" + indent.substr(1) + (json.is_object() ? '}' : ']');
}

}  // namespace

std::vector<TestbenchNames> testbench_names(const std::vector<std::string>& layers) {
  data::FileNames files;
  data::FileNames identifiers;
  std::vector<TestbenchNames> names;
  for (const std::string& layer : layers) {
    TestbenchNames& made = names.emplace_back(TestbenchNames{.file = files.of(layer), .identifier = {}});
    made.identifier = identifiers.of(identifier_from(made.file));
  }
  return names;
}

std::string TestbenchFiles::write(std::string name, std::span<const std::byte> bytes) {
  files_.add(folder_.file(name), bytes);
  names_.insert(name);
  return name;
}

std::string TestbenchFiles::write_mem(const std::string& name, const testbench::IntegerArray& array) {
  const std::string text = testbench::mem_text(array, name);
  return write(name + ".mem", std::as_bytes(std::span(text)));
}

OrderedJson TestbenchFiles::add(const TestbenchNames& names, const std::string& kind, const testbench::IntegerArray& array, const std::string& same_as) {
  const std::string name = names.file + "." + kind;
  OrderedJson made{{"shape", array.shape}, {"bits", array.bits}, {"signed", array.is_signed}};
  made["npy"] = write(name + ".npy", data::encode_npy(testbench::as_tensor(array)));
  made["mem"] = write_mem(name, array);
  const std::string identifier = names.identifier + "_" + kind;
  made["c"] = header_.alias(identifier, same_as) || header_.add(identifier, array) ? OrderedJson(identifier) : OrderedJson();
  return made;
}

OrderedJson TestbenchFiles::add_bytes(const TestbenchNames& names, const std::string& kind, const testbench::IntegerArray& bytes) {
  return {{"shape", bytes.shape}, {"mem", write_mem(names.file + "." + kind, bytes)}};
}

void TestbenchFiles::add(const TestbenchNames& names, const std::string& kind, std::int64_t number) { header_.add(names.identifier + "_" + kind, number); }

std::size_t TestbenchFiles::publish(OrderedJson manifest, std::int64_t samples) {
  const std::string header = header_.text(samples);
  write(kHeader, std::as_bytes(std::span(header)));
  names_.insert(kManifest);
  manifest["files"] = names_;
  // The manifest first: by it a folder that is left half done is known for a testbench.
  std::string text;
  write_json(text, manifest, 0);
  files_.add_first(folder_.file(kManifest), text + "\n");
  files_.publish();
  folder_.keep_alone(names_);
  return names_.size();
}

}  // namespace halftone::cli
