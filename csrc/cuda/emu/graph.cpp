// Captures and graphs of the emulator: while a stream captures, what it is given is kept instead of
// run, and a launch of the graph queues all of it again.
//
// Streams that wait for an event of a capture become branches of it. A launch gives each branch a
// stream, so that branches that nothing orders are so in the launch, too, and checked builds see
// their races. Functions that wait, and those that a real device forbids, break the capture.
#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include "cuda/emu/streams.h"

namespace pt::emu {

struct Step {
  enum Kind { kWork, kMark, kWait } kind;
  size_t branch, mark;
  std::function<void()> work;
};
struct Graph {
  std::vector<Step> steps;
  size_t branches = 1, marks = 0;
};
struct GraphExec {
  Graph graph;
  std::vector<Stream*> streams;  // of the branches behind the first
  std::shared_ptr<Mark> last;    // the end of the launch before
};

struct Capture {
  using Counts = std::vector<size_t>;  // of the steps of each branch that precede something
  unsigned long long id;
  cudaStreamCaptureMode mode;
  std::thread::id thread;
  bool broken = false;
  Graph graph;
  std::vector<Stream*> branches;
  std::vector<Counts> precede;        // the end of a branch
  std::vector<Counts> precede_marks;  // a mark

  Counts& add(Stream* s, Step step) {
    Counts& mine = precede[s->branch];
    mine.resize(branches.size());
    ++mine[s->branch];
    step.branch = s->branch;
    graph.steps.push_back(std::move(step));
    return mine;
  }
  void join(Stream* s) {
    s->capture = this;
    s->branch = branches.size();
    branches.push_back(s);
    precede.emplace_back();
    graph.branches = branches.size();
  }
};

namespace {

std::vector<Capture*> captures;
thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

cudaError_t break_off(Capture* c) {
  c->broken = true;
  return failed(cudaErrorStreamCaptureUnsupported);
}

void forget(Capture* c) {
  for (Stream* s : c->branches) s->capture = nullptr;
  std::erase(captures, c);
}

}  // namespace

void capture_work(Stream* s, std::function<void()> work) {
  s->capture->add(s, {Step::kWork, 0, 0, std::move(work)});
}

cudaError_t capture_record(Event* e, Stream* s) {
  Capture& c = *s->capture;
  e->capture = c.id;
  e->captured_mark = c.graph.marks++;
  const Capture::Counts before = c.add(s, {Step::kMark, 0, e->captured_mark, {}});
  c.precede_marks.push_back(before);
  return cudaSuccess;
}

cudaError_t capture_wait(Event* e, Stream* s) {
  const auto of = std::find_if(captures.begin(), captures.end(),
                               [e](const Capture* c) { return c->id == e->capture; });
  if (of == captures.end() || (s->capture && s->capture != *of)) {
    if (!s->capture) return failed(cudaErrorCapturedEvent);
    s->capture->broken = true;
    return failed(cudaErrorStreamCaptureIsolation);
  }
  Capture& c = **of;
  if (!s->capture) c.join(s);
  Capture::Counts& mine = c.add(s, {Step::kWait, 0, e->captured_mark, {}});
  const Capture::Counts& before = c.precede_marks[e->captured_mark];
  for (size_t i = 0; i < before.size(); ++i) mine[i] = std::max(mine[i], before[i]);
  return cudaSuccess;
}

cudaError_t forbid(Stream* s) { return break_off(s->capture); }

cudaError_t forbid_while_capturing() {
  if (thread_mode == cudaStreamCaptureModeRelaxed) return cudaSuccess;
  cudaError_t error = cudaSuccess;
  for (Capture* c : captures) {
    const bool own = c->thread == std::this_thread::get_id();
    const bool counts =
        own ? c->mode != cudaStreamCaptureModeRelaxed
            : c->mode == cudaStreamCaptureModeGlobal && thread_mode == cudaStreamCaptureModeGlobal;
    if (counts) error = break_off(c);
  }
  return error;
}

}  // namespace pt::emu

using namespace pt::emu;  // NOLINT: the functions below are CUDA's

cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode mode) {
  const std::lock_guard lock(mutex);
  if (!s || s == &default_stream) return failed(cudaErrorStreamCaptureUnsupported);
  if (capturing(s)) return failed(cudaErrorStreamCaptureUnsupported);
  static unsigned long long begun = 0;
  auto* c = new Capture{++begun, mode, std::this_thread::get_id(), false, {}, {}, {}, {}};
  c->join(s);
  captures.push_back(c);
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t* graph) {
  const std::lock_guard lock(mutex);
  *graph = nullptr;
  if (!s || !capturing(s)) return failed(cudaErrorInvalidValue);
  const std::unique_ptr<Capture> c(s->capture);
  forget(c.get());
  if (c->broken) return failed(cudaErrorStreamCaptureInvalidated);
  if (c->branches[0] != s) return failed(cudaErrorStreamCaptureUnmatched);
  Capture::Counts& end = c->precede[0];
  end.resize(c->branches.size());
  for (size_t b = 1; b < c->branches.size(); ++b) {
    // A mark at the end of a branch is no work.
    const auto& steps = c->graph.steps;
    size_t work = 0, seen = 0;
    for (const Step& step : steps)
      if (step.branch == b && ++seen && step.kind != Step::kMark) work = seen;
    if (end[b] < work) return failed(cudaErrorStreamCaptureUnjoined);
  }
  *graph = new Graph(std::move(c->graph));
  return cudaSuccess;
}

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t s, cudaStreamCaptureStatus* status,
                                     unsigned long long* id) {
  const std::lock_guard lock(mutex);
  const Capture* c = s ? s->capture : nullptr;
  *status = !c          ? cudaStreamCaptureStatusNone
            : c->broken ? cudaStreamCaptureStatusInvalidated
                        : cudaStreamCaptureStatusActive;
  if (c && id) *id = c->id;
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(*mode, thread_mode);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  const std::lock_guard lock(mutex);
  auto made = std::make_unique<GraphExec>();
  made->graph = *graph;
  for (size_t b = 1; b < graph->branches; ++b) {
    made->streams.emplace_back();
    cudaStreamCreateWithPriority(&made->streams.back(), cudaStreamNonBlocking, 0);
  }
  *exec = made.release();
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, void**, size_t* count) {
  *count = static_cast<size_t>(std::count_if(graph->steps.begin(), graph->steps.end(),
                                             [](const Step& s) { return s.kind == Step::kWork; }));
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t s) {
  const std::lock_guard lock(mutex);
  s = stream_of(s);
  if (capturing(s)) return forbid(s);
  std::vector<std::shared_ptr<Mark>> marks(exec->graph.marks);  // of this launch alone
  if (exec->last) wait_for(exec->last, s);  // launches of one graph do not overlap
  for (const Step& step : exec->graph.steps) {
    Stream* at = step.branch == 0 ? s : exec->streams[step.branch - 1];
    if (step.kind == Step::kWork) enqueue(at, step.work);
    if (step.kind == Step::kMark) marks[step.mark] = put_mark(at);
    if (step.kind == Step::kWait) wait_for(marks[step.mark], at);
  }
  exec->last = put_mark(s);
  return cudaPeekAtLastError();
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const std::lock_guard lock(mutex);
  for (Stream* s : exec->streams) cudaStreamDestroy(s);
  if (exec->last) drain_until(*exec->last);
  delete exec;
  return cudaSuccess;
}
