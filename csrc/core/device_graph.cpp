// Captures, replays, and the generators' part in them. See device_graph.h.
#include "core/device_graph.h"

#include <algorithm>
#include <atomic>

#include "core/device_runtime.h"
#include "core/error.h"

namespace pt {

namespace {
std::atomic<int> captures{0};  // of this process, under way
}

bool stream_is_capturing() {
  return captures.load(std::memory_order_relaxed) > 0 &&
         device_api().capture_status() != CaptureStatus::kNone;
}

int64_t DeviceGraph::new_pool() {
  static std::atomic<int64_t> last{0};
  return ++last;
}

DeviceGraph::~DeviceGraph() {
  if (capturing_) {  // the stream must not stay captured
    const DeviceApi& api = *find_device_api();
    const int device = api.current_device();
    api.set_device(device_.index);
    const StreamHandle stream = api.current_stream(device_.index);
    api.set_stream(device_.index, stream_);
    for (const Drawing& d : drawings_) d.generator->end_graph();
    --captures;
    api.capture_end(&graph_);
    api.set_stream(device_.index, stream);
    api.set_device(device);
  }
  forget();
}

void DeviceGraph::register_generator(Generator* g) {
  PT_CHECK(!g->device().is_cpu(),
           "register_generator_state(): expected a generator of a cuda "
           "device, got one of the cpu");
  PT_CHECK(!capturing_, "register_generator_state(): the capture has begun");
  if (std::find(registered_.begin(), registered_.end(), g) == registered_.end())
    registered_.push_back(g);
}

void DeviceGraph::begin(int64_t pool, CaptureMode mode) {
  PT_CHECK(!graph_ && !capturing_,
           "This CUDAGraph instance already owns a captured graph. To capture a new graph, create "
           "a new instance.");
  const DeviceApi& api = device_api();
  device_ = resolve_device({DeviceType::kCuda, -1});
  stream_ = api.current_stream(device_.index);
  PT_CHECK(stream_,
           "CUDA graphs must be captured on a non-default stream. (However, after capture, it's ok "
           "to replay them on the default stream.)");
  PT_CHECK(api.capture_status() == CaptureStatus::kNone,
           "capture_begin(): the current stream is being captured already");
  std::vector<Generator*> generators = registered_;
  if (Generator* own = &default_generator(device_);
      std::find(generators.begin(), generators.end(), own) == generators.end())
    generators.push_back(own);
  for (Generator* g : generators) {
    PT_CHECK(!g->graph_words(),
             "capture_begin(): a generator takes part in another capture already");
    PT_CHECK(g->device().index < 0 || g->device().index == device_.index,
             "capture_begin(): a registered generator is of another device");
  }
  for (Generator* g : generators)
    drawings_.push_back(
        {g, static_cast<uint64_t*>(device_allocate(2 * sizeof(uint64_t), device_)), 0});
  pool_ = pool ? pool : new_pool();
  const int status = api.capture_begin(pool_, mode);
  if (status != 0) {
    forget();
    check_device(status, "capture_begin");
  }
  holds_pool_ = true;
  capturing_ = true;
  ++captures;
  for (const Drawing& d : drawings_) d.generator->begin_graph(d.words);
}

void DeviceGraph::end() {
  PT_CHECK(capturing_, "capture_end(): no capture has begun");
  const DeviceApi& api = device_api();
  PT_CHECK(api.current_stream(device_.index) == stream_ && api.current_device() == device_.index,
           "Capture must end on the same stream it began on.");
  for (Drawing& d : drawings_) d.count = d.generator->end_graph();
  capturing_ = false;
  --captures;
  const int status = api.capture_end(&graph_);
  std::erase_if(drawings_, [](const Drawing& d) {
    if (d.count == 0) device_release(d.words);
    return d.count == 0;
  });
  const int failed = status ? status : api.take_error();
  if (failed != 0) {
    const std::string text = api.error_text();
    forget();
    raise(ErrorKind::kRuntime, "CUDA error: ", text, " (in capture_end)");
  }
}

void DeviceGraph::replay() {
  PT_CHECK(graph_, "Called CUDAGraph::replay without a preceding successful capture.");
  const CallDeviceGuard guard(device_);
  const DeviceApi& api = device_api();
  for (const Drawing& d : drawings_) {
    const uint64_t words[] = {d.generator->initial_seed(), d.generator->take_counters(d.count)};
    check_device(api.store(d.words, words, sizeof words), "replay");
  }
  check_device(api.graph_launch(graph_), "replay");
  check_launches("replay");
}

void DeviceGraph::reset() {
  PT_CHECK(!capturing_, "reset(): the graph is being captured");
  forget();
}

void DeviceGraph::forget() noexcept {
  const DeviceApi* api = find_device_api();
  if (graph_) api->graph_destroy(graph_);
  graph_ = nullptr;
  for (const Drawing& d : drawings_) device_release(d.words);
  drawings_.clear();
  if (holds_pool_) api->pool_release(device_.index, pool_);
  holds_pool_ = false;
  pool_ = 0;
}

}  // namespace pt
