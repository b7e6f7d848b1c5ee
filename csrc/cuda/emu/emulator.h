// What the two halves of the emulator share: settings from the environment, and error reports.
#pragma once

#include "cuda/emu/cuda_runtime.h"

namespace pt::emu {

enum class Order { kForward, kReverse, kRandom };

struct Settings {
  Order order = Order::kForward;  // PYTENSOR_EMU_ORDER: forward, reverse, random
  bool lazy = false;              // PYTENSOR_EMU_LAZY: streams run when somebody waits for them
  bool protect = true;  // PYTENSOR_EMU_PROTECT: the host may not touch device memory by itself
  uint64_t seed = 1;    // PYTENSOR_EMU_SEED
  int devices = 1;      // PYTENSOR_EMU_DEVICES
};
const Settings& settings();

const char* where();  // the running kernel, block and thread, for reports

}  // namespace pt::emu
