// Graphs of a device: the work of a stream, captured once and queued again by one call. Used by
// pytensor.cuda.CUDAGraph, and by what must know that it is being captured.
#pragma once

#include <cstdint>
#include <vector>

#include "core/device_api.h"
#include "core/generator.h"

namespace pt {

// Whether what this thread gives the current stream of the current device goes into a graph.
bool stream_is_capturing();

class DeviceGraph {
 public:
  DeviceGraph() = default;
  DeviceGraph(const DeviceGraph&) = delete;
  DeviceGraph& operator=(const DeviceGraph&) = delete;
  ~DeviceGraph();

  // The generator may draw in the capture; it must live as long as the graph. Each replay takes
  // counters from it as the captured code would. The device's default one is known already.
  void register_generator(Generator* g);

  // RuntimeError when the default stream is current, or the driver refuses. `pool`: a number from
  // new_pool(), which graphs that never run at the same time may share; 0 asks for one.
  void begin(int64_t pool, CaptureMode mode);
  void end();
  void replay();
  // Forgets the graph and gives its memory back, once the device has finished.
  void reset();

  bool captured() const { return graph_ != nullptr; }
  bool capturing() const { return capturing_; }
  int64_t pool() const { return pool_; }
  static int64_t new_pool();

 private:
  struct Drawing {
    Generator* generator;
    uint64_t* words;
    uint64_t count;  // of counters in one replay
  };
  void forget() noexcept;

  GraphHandle graph_ = nullptr;
  bool capturing_ = false, holds_pool_ = false;
  int64_t pool_ = 0;
  Device device_;
  StreamHandle stream_ = nullptr;
  std::vector<Generator*> registered_;
  std::vector<Drawing> drawings_;
};

}  // namespace pt
