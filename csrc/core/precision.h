// How exact float32 products must be: set_float32_matmul_precision() and the switch for Winograd's
// transforms; and by whom convolutions may be computed on a device. Asked by matrix products and
// convolutions.
#pragma once

#include <cstdint>

namespace pt {

enum class Float32Precision : uint8_t { kHighest, kHigh, kMedium };

Float32Precision float32_precision();
void set_float32_precision(Float32Precision p);

// Whether a device may round the operands of float32 convolutions to tf32 (ten bits of mantissa):
// torch.backends.cudnn.allow_tf32.
bool convolution_tf32();
void set_convolution_tf32(bool allowed);

// torch.backends.cudnn.enabled, .benchmark and .deterministic: whether a device's convolutions may
// be cuDNN's, whether it may time its algorithms, and whether it may not after all.
enum class CudnnSwitch : uint8_t { kEnabled, kBenchmark, kDeterministic };
bool cudnn_switch(CudnnSwitch which);
void set_cudnn_switch(CudnnSwitch which, bool on);

// The largest tiles that float32 convolutions may take for Winograd's transforms, when it is not
// left to the precision: pytensor.backends.cpu.winograd.
enum class WinogradTiles : uint8_t { kAuto, kOff, kTwo, kFour };

// What the setting means under the precision in force: 0 (none), 2 or 4.
int most_winograd_tile();
void set_winograd_tiles(WinogradTiles t);

}  // namespace pt
