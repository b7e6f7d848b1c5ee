// What the faults share: each file lists functions that launch a kernel on 256 numbers, once with
// its fault and once without. tests/cuda/test_faults.py builds them against the emulator in several
// ways and asks for each which of them notice. Compiled with -Icsrc.
#pragma once

#include "cuda/pt_cuda.h"

namespace pt::cuda {
inline cudaStream_t chosen_stream = nullptr;
}

namespace pt::faults {

inline constexpr int kCount = 256;

// x holds numbers, y is fresh: what is in y at the end is the result.
using Run = void (*)(float* x, float* y);
struct Fault {
  const char* name;
  Run faulty, sound;
};
struct FaultList {
  const Fault* faults;
  int count;
  FaultList* next;
};
void add(FaultList* list);

}  // namespace pt::faults

#define PT_FAULT(name) {#name, &name<true>, &name<false>}
#define PT_FAULTS(...)                                                                   \
  static const ::pt::faults::Fault fault_array[] = {__VA_ARGS__};                        \
  static ::pt::faults::FaultList fault_list{                                             \
      fault_array, static_cast<int>(sizeof fault_array / sizeof *fault_array), nullptr}; \
  [[maybe_unused]] static const bool faults_added = (::pt::faults::add(&fault_list), true);
