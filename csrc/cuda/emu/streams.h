// Streams and events of the emulator, shared by runtime.cpp and graph.cpp.
#pragma once

#include <chrono>
#include <deque>
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
struct Event {
  checks::Clock clock;  // checked builds: what had happened when it was recorded
  bool done = true;
  Stream* stream = nullptr;
  std::chrono::steady_clock::time_point time;
  unsigned long long capture = 0;  // it was last recorded there
  size_t mark = 0;                 // which of its marks
};

extern std::recursive_mutex mutex;  // around everything
extern Stream default_stream;
inline Stream* stream_of(Stream* s) { return s ? s : &default_stream; }
void drain_until(Event* e);
// An event of now in a stream, and waiting for one.
void record(Event* e, Stream* s);
void wait_for(Event* e, Stream* s);

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
