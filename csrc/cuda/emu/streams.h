// Streams and events of the emulator, shared by runtime.cpp and graph.cpp.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>

#include "cuda/emu/checks.h"
#include "cuda/emu/emulator.h"

namespace pt::emu {

struct Capture;  // a graph in the making: graph.cpp

struct Stream {
  std::deque<std::function<void()>> work;
  int id = 0;
  Capture* capture = nullptr;
  size_t branch = 0;  // of the capture
};
// A moment in a stream. Work that waits for it keeps it, whatever becomes of the event.
struct Mark {
  Stream* stream;
  checks::Clock clock;  // checked builds: what had happened by then
  bool done = false;
  std::chrono::steady_clock::time_point time{};
};
struct Event {
  std::shared_ptr<Mark> mark;      // null: never recorded
  unsigned long long capture = 0;  // it was last recorded there
  size_t captured_mark = 0;        // which of the capture's marks
  bool done() const { return !mark || mark->done; }
};

extern std::recursive_mutex mutex;  // around everything
extern Stream default_stream;
inline Stream* stream_of(Stream* s) { return s ? s : &default_stream; }
cudaError_t failed(cudaError_t e);  // what a function returns: cudaGetLastError() finds it, too
void drain_until(const Mark& m);
std::shared_ptr<Mark> put_mark(Stream* s);
void wait_for(const std::shared_ptr<Mark>& m, Stream* s);

// --- captures (graph.cpp) ------------------------------------------------------------------------
inline bool capturing(const Stream* s) { return s->capture != nullptr; }
void capture_work(Stream* s, std::function<void()> work);
cudaError_t capture_record(Event* e, Stream* s);
// The stream, the event or both belong to a capture.
cudaError_t capture_wait(Event* e, Stream* s);
// Functions that a capture forbids break it: of this stream, or of any.
cudaError_t forbid(Stream* s);
cudaError_t forbid_while_capturing();

}  // namespace pt::emu
