// Captures of streams, and the graphs made of them. Which generators draw in a graph, and who calls
// what when: core/device_graph.cpp.
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "cuda/runtime/runtime.h"

namespace pt::cuda {

std::atomic<int> captures{0};

namespace {

std::mutex mutex;
struct Running {
  unsigned long long id;  // the driver's
  int64_t pool;
};
std::map<cudaStream_t, Running> running;  // by the stream where they began

std::vector<cudaGraphExec_t> dead;  // dropped while a capture was under way

struct Status {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  unsigned long long id = 0;
};
Status status_of_stream(cudaStream_t s) {
  Status found;
  if (!s) return found;
  if (const cudaError_t e = cudaStreamGetCaptureInfo(s, &found.status, &found.id)) {
    ignore(e);
    return {};
  }
  return found;
}

// Launches that are still running would lose their memory with the pool.
int destroy(cudaGraphExec_t exec) {
  const int status = status_of(cudaDeviceSynchronize());
  cudaGraphExecDestroy(exec);
  return status;
}

}  // namespace

int64_t captured_pool(cudaStream_t s) {
  if (captures.load(std::memory_order_relaxed) == 0) return 0;
  const Status now = status_of_stream(s);
  if (now.status != cudaStreamCaptureStatusActive) return 0;
  const std::lock_guard lock(mutex);
  for (const auto& [stream, capture] : running)
    if (capture.id == now.id) return capture.pool;
  return 0;
}

CaptureStatus capture_status() {
  if (captures.load(std::memory_order_relaxed) == 0) return CaptureStatus::kNone;
  return static_cast<CaptureStatus>(status_of_stream(current_stream()).status);
}

int capture_begin(int64_t pool, CaptureMode mode) {
  static constexpr cudaStreamCaptureMode kModes[] = {
      cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal, cudaStreamCaptureModeRelaxed};
  const cudaStream_t s = current_stream();
  pool_retain(current_device(), pool);
  ++captures;
  const int status = status_of(cudaStreamBeginCapture(s, kModes[static_cast<int>(mode)]));
  if (status != 0) {
    --captures;
    pool_release(current_device(), pool);
    return status;
  }
  const std::lock_guard lock(mutex);
  running[s] = {status_of_stream(s).id, pool};
  return 0;
}

int capture_end(GraphHandle* out) {
  *out = nullptr;
  const cudaStream_t s = current_stream();
  cudaGraph_t graph = nullptr;
  int status = status_of(cudaStreamEndCapture(s, &graph));
  {
    const std::lock_guard lock(mutex);
    running.erase(s);
  }
  if (--captures == 0) {
    for (cudaGraphExec_t exec : std::exchange(dead, {})) destroy(exec);
    captures_ended();
  }
  if (status != 0) return status;
  cudaGraphExec_t exec = nullptr;
  status = status_of(cudaGraphInstantiate(&exec, graph, 0));
  cudaGraphDestroy(graph);
  *out = exec;
  return status;
}

int graph_launch(GraphHandle g) {
  return status_of(cudaGraphLaunch(static_cast<cudaGraphExec_t>(g), current_stream()));
}

int graph_destroy(GraphHandle g) {
  auto* exec = static_cast<cudaGraphExec_t>(g);
  if (captures.load() == 0) return destroy(exec);
  const std::lock_guard lock(mutex);
  dead.push_back(exec);
  return 0;
}

}  // namespace pt::cuda
