#include "halftone/peers/onnxruntime.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/base/files_in_use.h"

namespace halftone::peers {
namespace {

// ONNX Runtime's C interface is a table of functions that only grows: onnxruntime_c_api.h has them in this order. Those that return
// a status return nullptr where all went well.
constexpr std::uint32_t kVersion = 13;
enum Function : std::size_t {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSessionFromArray = 8,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetSessionGraphOptimizationLevel = 23,
  kSetIntraOpNumThreads = 24,
  kSetInterOpNumThreads = 25,
  kCreateTensorWithDataAsOrtValue = 49,
  kGetTensorMutableData = 51,
  kGetTensorShapeElementCount = 64,
  kGetTensorTypeAndShape = 65,
  kCreateCpuMemoryInfo = 69,
  kReleaseEnv = 92,
  kReleaseStatus = 93,
  kReleaseMemoryInfo = 94,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseTensorTypeAndShapeInfo = 99,
  kReleaseSessionOptions = 100,
};
constexpr int kLogErrors = 3;
constexpr int kEveryOptimization = 99;
constexpr int kFloat = 1;  // ONNXTensorElementDataType
constexpr int kArenaAllocator = 1;
constexpr int kDefaultMemory = 0;

struct ApiBase {
  const void* const* (*get_api)(std::uint32_t version);
  const char* (*get_version)();
};

template <typename Result, typename... Arguments>
Result call(const void* const* functions, Function function, Arguments... arguments) {
  return reinterpret_cast<Result (*)(Arguments...)>(const_cast<void*>(functions[function]))(arguments...);
}

// Calls a function that returns a status.
template <typename... Arguments>
void expect(const void* const* functions, Function function, Arguments... arguments) {
  void* status = call<void*>(functions, function, arguments...);
  if (status == nullptr) return;
  const std::string message = call<const char*>(functions, kGetErrorMessage, static_cast<const void*>(status));
  call<void>(functions, kReleaseStatus, status);
  throw UnsupportedError("onnxruntime", message);
}

std::string loader_error() {
  const char* message = dlerror();
  return message == nullptr ? "no reason given" : message;
}

}  // namespace

OnnxruntimeLibrary::OnnxruntimeLibrary(const std::filesystem::path& file) {
  struct stat found {};
  if (stat(file.c_str(), &found) != 0 || access(file.c_str(), R_OK) != 0) throw SystemError(file.string(), std::strerror(errno));
  note_read(found);
  // Absolute: the loader looks for a name without a folder in places of its own.
  void* library = dlopen(std::filesystem::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    throw InputError(file.string(), fmt::format("expected ONNX Runtime's library, got one that does not open: {}", loader_error()));
  void* symbol = dlsym(library, "OrtGetApiBase");
  if (symbol == nullptr) throw InputError(file.string(), "expected ONNX Runtime's library, got one without OrtGetApiBase");
  const auto* base = reinterpret_cast<const ApiBase* (*)()>(symbol)();
  version_ = base->get_version();
  functions_ = base->get_api(kVersion);
  if (functions_ == nullptr) throw InputError(file.string(), fmt::format("ONNX Runtime {}, expected 1.{} or newer", version_, kVersion));
}

struct OnnxruntimeSession::State {
  explicit State(const OnnxruntimeLibrary& library) : functions(library.functions_) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    for (void* value : outputs) release(kReleaseValue, value);
    for (void* value : inputs) release(kReleaseValue, value);
    release(kReleaseMemoryInfo, memory);
    release(kReleaseSession, session);
    release(kReleaseSessionOptions, options);
    release(kReleaseEnv, environment);
  }
  void release(Function function, void* thing) const {
    if (thing != nullptr) call<void>(functions, function, thing);
  }

  const void* const* functions;
  void* environment = nullptr;
  void* options = nullptr;
  void* session = nullptr;
  void* memory = nullptr;
  std::vector<std::string> names;
  std::vector<Tensor> tensors;
  std::vector<const char*> input_names;
  std::vector<const char*> output_names;
  std::vector<void*> inputs;
  std::vector<void*> outputs;  // made by the first run, and written by those that follow
};

OnnxruntimeSession::OnnxruntimeSession(const OnnxruntimeLibrary& library, const OnnxruntimeNetwork& network)
    : state_(std::make_unique<State>(library)) {
  State& s = *state_;
  expect(s.functions, kCreateEnv, kLogErrors, "halftone", &s.environment);
  expect(s.functions, kCreateSessionOptions, &s.options);
  expect(s.functions, kSetSessionGraphOptimizationLevel, s.options, kEveryOptimization);
  expect(s.functions, kSetIntraOpNumThreads, s.options, network.threads);
  expect(s.functions, kSetInterOpNumThreads, s.options, 1);
  expect(s.functions, kCreateSessionFromArray, static_cast<const void*>(s.environment), static_cast<const void*>(network.model.data()),
         network.model.size(), static_cast<const void*>(s.options), &s.session);
  expect(s.functions, kCreateCpuMemoryInfo, kArenaAllocator, kDefaultMemory, &s.memory);
  s.names = network.input_names;
  s.names.insert(s.names.end(), network.output_names.begin(), network.output_names.end());
  s.tensors = network.inputs;
  for (std::size_t i = 0; i < s.names.size(); ++i) (i < s.tensors.size() ? s.input_names : s.output_names).push_back(s.names[i].c_str());
  for (Tensor& tensor : s.tensors) {
    void* value = nullptr;
    expect(s.functions, kCreateTensorWithDataAsOrtValue, static_cast<const void*>(s.memory), static_cast<void*>(tensor.mutable_bytes().data()),
           tensor.bytes().size(), static_cast<const std::int64_t*>(tensor.shape().data()), tensor.shape().size(), kFloat, &value);
    s.inputs.push_back(value);
  }
  s.outputs.resize(s.output_names.size());
}

OnnxruntimeSession::~OnnxruntimeSession() = default;

void OnnxruntimeSession::run() {
  State& s = *state_;
  const void* no_options = nullptr;
  expect(s.functions, kRun, s.session, no_options, static_cast<const char* const*>(s.input_names.data()),
         static_cast<void* const*>(s.inputs.data()), s.inputs.size(), static_cast<const char* const*>(s.output_names.data()),
         s.output_names.size(), s.outputs.data());
}

std::vector<float> OnnxruntimeSession::output(std::size_t i) const {
  const State& s = *state_;
  void* info = nullptr;
  std::size_t count = 0;
  float* data = nullptr;
  expect(s.functions, kGetTensorTypeAndShape, static_cast<const void*>(s.outputs.at(i)), &info);
  expect(s.functions, kGetTensorShapeElementCount, static_cast<const void*>(info), &count);
  call<void>(s.functions, kReleaseTensorTypeAndShapeInfo, info);
  expect(s.functions, kGetTensorMutableData, s.outputs.at(i), reinterpret_cast<void**>(&data));
  return {data, data + count};
}

}  // namespace halftone::peers
