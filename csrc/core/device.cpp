// Parsing and printing of device names.
#include "core/device.h"

#include <charconv>

#include "core/error.h"

namespace pt {

std::string to_text(Device d) {
  std::string s = d.type == DeviceType::kCpu ? "cpu" : "cuda";
  if (d.index >= 0) s += ":" + std::to_string(d.index);
  return s;
}

Device parse_device(std::string_view text) {
  const auto colon = text.find(':');
  const auto kind = text.substr(0, colon);
  Device d;
  if (kind == "cpu") {
    d.type = DeviceType::kCpu;
  } else if (kind == "cuda") {
    d.type = DeviceType::kCuda;
  } else {
    raise(ErrorKind::kRuntime,
          "Expected one of cpu, cuda device type at start of device string: ", text);
  }
  if (colon != std::string_view::npos) {
    const auto digits = text.substr(colon + 1);
    int index = -1;
    const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    PT_CHECK(r.ec == std::errc() && r.ptr == digits.data() + digits.size() && !digits.empty() &&
                 index >= 0 && index < 128,
             "Invalid device string: '", text, "'");
    d.index = static_cast<int8_t>(index);
  }
  return d;
}

}  // namespace pt
