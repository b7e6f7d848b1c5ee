// Device: where a tensor's data lives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/on_device.h"

namespace pt {

enum class DeviceType : uint8_t { kCpu, kCuda };

struct Device {
  DeviceType type = DeviceType::kCpu;
  int8_t index = -1;  // -1: no index given ("cuda"); the cpu is always -1 inside tensors

  friend bool operator==(Device, Device) = default;
  bool is_cpu() const { return type == DeviceType::kCpu; }
};

// Where the call of this thread runs, and whose call it is. dispatch() sets it for the time of a
// forward function, the engine for a backward formula; outside of calls it is the cpu. New tensors
// are allocated there by default, and kernels are looked up in that device's table.
struct CallPlace {
  Device device{};
  const char* op = nullptr;  // for messages
};
extern thread_local constinit CallPlace call_place;
inline Device call_device() { return call_place.device; }

class CallDeviceGuard {
 public:
  explicit CallDeviceGuard(Device device, const char* op = call_place.op) : before_(call_place) {
    if (device != before_.device) [[unlikely]]
      enter(device);
    call_place.op = op;
  }
  ~CallDeviceGuard() {
    if (call_place.device != before_.device) [[unlikely]]
      leave();
    call_place = before_;
  }
  CallDeviceGuard(const CallDeviceGuard&) = delete;
  CallDeviceGuard& operator=(const CallDeviceGuard&) = delete;

 private:
  void enter(Device device);  // makes a cuda device the driver's current one
  void leave() noexcept;
  CallPlace before_;
  int index_before_ = -1;
};

// "cpu", "cuda:0"
std::string to_text(Device d);
// Raises RuntimeError for anything but "cpu", "cuda" and "cuda:N" (also "cpu:0").
Device parse_device(std::string_view text);

}  // namespace pt
