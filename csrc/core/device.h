// Device: where a tensor's data lives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pt {

enum class DeviceType : uint8_t { kCpu, kCuda };

struct Device {
  DeviceType type = DeviceType::kCpu;
  int8_t index = -1;  // -1: no index given ("cuda"); the cpu is always -1 inside tensors

  friend bool operator==(Device, Device) = default;
  bool is_cpu() const { return type == DeviceType::kCpu; }
};

// "cpu", "cuda:0"
std::string to_text(Device d);
// Raises RuntimeError for anything but "cpu", "cuda" and "cuda:N" (also "cpu:0").
Device parse_device(std::string_view text);

}  // namespace pt
