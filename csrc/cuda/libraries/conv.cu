// Convolutions by cuDNN: its handles, and the plans that have been made. Whatever it declines is
// left to the kernels here.
#include "cuda/libraries/conv.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cuda/libraries/conv_plan.h"
#include "cuda/libraries/loader.h"
#include "cuda/runtime/runtime.h"

namespace pt::cuda {

namespace {

using dnn::Functions;
using dnn::Key;
using dnn::Places;
using dnn::Plan;
using dnn::Status;

constexpr size_t kMostPlans = 2048;

// A device's handle, which knows one stream at a time and serves one thread at a time. Handles and
// plans are left to the end of the process, where the library may be gone before them.
struct Context {
  std::mutex mutex;
  bool tried = false;
  dnn::Handle handle = nullptr;   // null: there is none to be had
  cudaStream_t stream = nullptr;  // a new handle's
};
// Meanwhile the handle is the caller's. What it loads and allocates for itself is of no capture.
class Turn {
 public:
  Turn(const Functions& f, Context& c, cudaStream_t stream) : lock_(c.mutex) {
    if (c.stream == stream) return;
    status_ = f.set_stream(c.handle, stream);
    if (status_ == 0) c.stream = stream;
  }
  Status status() const { return status_; }

 private:
  const Uncaptured scope_;
  const std::lock_guard<std::mutex> lock_;
  Status status_ = 0;
};

// As Scratch, but it may well be missing. Not within a turn: the emulator's streams may run
// meanwhile.
using Memory = std::unique_ptr<void, void (*)(void*)>;
Memory take(size_t bytes) { return {bytes ? allocate(bytes) : nullptr, release}; }

// Null if there can be none. It asks for memory of its own: not while the stream is captured.
Context* context_of(const Functions& f, int device) {
  static std::mutex mutex;
  static auto& contexts = *new std::map<int, Context>;
  const std::lock_guard lock(mutex);
  Context& c = contexts[device];
  if (!c.tried && capture_status() == CaptureStatus::kNone) {
    const Uncaptured scope;
    c.tried = true;
    if (f.create(&c.handle) != 0) c.handle = nullptr;
  }
  return c.handle ? &c : nullptr;
}

// The call's plan; one that has not been timed where a capture forbids that. Null: the handle
// fails.
std::shared_ptr<Plan> plan_of(const Functions& f, Context& c, cudaStream_t stream, Key key,
                              const Places& places) {
  static std::mutex mutex;
  static auto& plans = *new std::map<Key, std::shared_ptr<Plan>>;
  const std::lock_guard lock(mutex);
  auto it = plans.find(key);
  if (it == plans.end() && key.timed && captures.load(std::memory_order_relaxed) > 0) {
    key.timed = 0;
    it = plans.find(key);
  }
  if (it != plans.end()) return it->second;
  if (plans.size() >= kMostPlans) plans.clear();  // calls under way keep theirs
  const auto plan = std::make_shared<Plan>(f, key);
  const auto ask = [&](auto question) {
    const Turn turn(f, c, stream);
    if (turn.status() == 0) question();
    return turn.status() == 0;
  };
  if (!ask([&] { plan->choose(c.handle); })) return nullptr;
  if (key.timed) {
    const size_t bytes = plan->most_workspace();
    const Memory memory = take(bytes);
    ask([&] { plan->measure(c.handle, places, memory.get(), memory ? bytes : 0); });
  }
  return plans.emplace(key, plan).first->second;
}

struct Call {
  const Functions& f;
  Context& context;
  std::shared_ptr<Plan> plan;
  Places places;
  void* workspace;
  cudaStream_t stream;
};

Status run(const Call& call) {
  const Turn turn(call.f, call.context, call.stream);
  if (turn.status() != 0) return turn.status();
  const Status status = call.plan->run(call.context.handle, call.places, call.workspace);
  if (status != 0) call.plan->give_up();
  return status;
}

// Whether the convolution has been done, or fails where nothing can be done about it: the kernels
// here can take over from a library that refuses.
bool settled(const Call& call, Status status, bool may_refuse) {
  if (status == 0) return true;
  if (may_refuse && status < dnn::kExecutionFailed) return false;
  note_failure(cudaErrorLaunchFailure,
               std::string("a convolution by cuDNN: ") + call.f.error_string(status));
  return true;
}

bool queue(const Call& call) {
#ifdef PT_CUDA_EMULATION
  // A library that a test has made computes on the host, when the stream gets there: here, or
  // later.
  const auto is_late = std::make_shared<bool>(false), done = std::make_shared<bool>(true);
  emu::enqueue(call.stream, [=] { *done = settled(call, run(call), !*is_late); });
  *is_late = true;
  return *done;
#else
  return settled(call, run(call), true);
#endif
}

}  // namespace

bool library_conv(ConvWork work, DType dtype, const ConvArgs& a) {
  if (!a.library || !libraries_wanted()) return false;
  const Functions* f = dnn::functions();
  if (!f) return false;
  const std::optional<Key> key = dnn::key_of(work, dtype, a);
  Context* context = key ? context_of(*f, key->device) : nullptr;
  if (!context) return false;
  const cudaStream_t stream = current_stream();
  const Places places{{a.input, a.weight, a.output}, a.bias};
  const std::shared_ptr<Plan> plan = plan_of(*f, *context, stream, *key, places);
  if (!plan || !plan->possible()) return false;
  const size_t bytes = plan->workspace();
  const Memory memory = take(bytes);
  if (bytes && !memory) return false;
  return queue({*f, *context, plan, places, memory.get(), stream});
}

}  // namespace pt::cuda
