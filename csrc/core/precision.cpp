// How exact float32 products must be, and by whom convolutions may be computed.
#include "core/precision.h"

#include <atomic>

namespace pt {

namespace {
std::atomic<Float32Precision> precision{Float32Precision::kHighest};
std::atomic<bool> tf32_in_convolutions{true};
std::atomic<bool> cudnn_switches[] = {true, false, false};
std::atomic<WinogradTiles> winograd_tiles{WinogradTiles::kAuto};
}  // namespace

Float32Precision float32_precision() { return precision.load(std::memory_order_relaxed); }
void set_float32_precision(Float32Precision p) { precision.store(p, std::memory_order_relaxed); }
bool convolution_tf32() { return tf32_in_convolutions.load(std::memory_order_relaxed); }
void set_convolution_tf32(bool allowed) {
  tf32_in_convolutions.store(allowed, std::memory_order_relaxed);
}

bool cudnn_switch(CudnnSwitch which) {
  return cudnn_switches[static_cast<int>(which)].load(std::memory_order_relaxed);
}
void set_cudnn_switch(CudnnSwitch which, bool on) {
  cudnn_switches[static_cast<int>(which)].store(on, std::memory_order_relaxed);
}

int most_winograd_tile() {
  switch (winograd_tiles.load(std::memory_order_relaxed)) {
    case WinogradTiles::kOff:
      return 0;
    case WinogradTiles::kTwo:
      return 2;
    case WinogradTiles::kFour:
      return 4;
    case WinogradTiles::kAuto:
      break;
  }
  return float32_precision() == Float32Precision::kHighest ? 2 : 4;
}
void set_winograd_tiles(WinogradTiles t) { winograd_tiles.store(t, std::memory_order_relaxed); }

}  // namespace pt
