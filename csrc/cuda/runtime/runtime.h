// What the files of the runtime share: their sides of the table of functions.
#pragma once

#include <atomic>
#include <string>

#include "core/device_api.h"
#include "cuda/pt_cuda.h"

namespace pt::cuda {

int current_device();
int status_of(cudaError_t e);  // notes a failure and gives it as a number
void ignore(cudaError_t e);    // a failure that is none: take_error() does not find it
// As note(); the text goes on with what failed.
void note_failure(cudaError_t e, const std::string& what);

// --- allocator.cu: memory of the device
void* allocate(size_t bytes);
void release(void* p);
void record_stream(void* p, StreamHandle stream);
int memory(int index, DeviceMemory* out);
void reset_stats(int index, int peaks);
void set_limit(int index, size_t bytes);
void empty_cache();
void pool_retain(int index, int64_t pool);
void pool_release(int index, int64_t pool);
void captures_ended();  // frees what could not be freed while one was under way

// --- pinned.cu: page-locked memory of the host
void* allocate_pinned(size_t bytes);
void release_pinned(void* p);
int is_pinned(const void* p);
// A copy on the stream reads or writes it.
void pinned_in_use(const void* p, cudaStream_t stream);
void pinned_pool_released(int64_t pool);

// --- store.cu
void store(void* to, const void* from, size_t bytes);

// --- api.cu
StreamHandle stream_of(int index);
int set_stream(int index, StreamHandle s);

// --- libraries (cuda/libraries)
int64_t library_version(const char* name);
void prefer_libraries(int on);

// --- graph.cu
int capture_begin(int64_t pool, CaptureMode mode);
int capture_end(GraphHandle* out);
CaptureStatus capture_status();
int graph_launch(GraphHandle g);
int graph_destroy(GraphHandle g);
extern std::atomic<int> captures;  // under way in the process
// The pool of the capture that the stream belongs to; 0: of none.
int64_t captured_pool(cudaStream_t s);

// Calls that a capture elsewhere forbids this thread, such as cudaMalloc, are allowed meanwhile:
// they touch nothing that is captured.
class Uncaptured {
 public:
  Uncaptured() : on_(captures.load(std::memory_order_relaxed) > 0) {
    if (on_) cudaThreadExchangeStreamCaptureMode(&mode_);
  }
  ~Uncaptured() {
    if (on_) cudaThreadExchangeStreamCaptureMode(&mode_);
  }
  Uncaptured(const Uncaptured&) = delete;
  Uncaptured& operator=(const Uncaptured&) = delete;

 private:
  bool on_;
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

}  // namespace pt::cuda
