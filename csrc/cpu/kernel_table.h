// How kernels compiled once per instruction set reach the portable code above them.
//
// A kernel file is compiled for each ISA with PT_ISA set to baseline, avx2 or avx512; all its code
// lives in namespace pt::PT_ISA, so that no inline function compiled with wide instructions can
// be chosen by the linker for the portable path. At its end it lists its kernels:
//
//   const KernelEntry kEntries[] = {{"sum", {...one function per DType...}}, ...};
//   PT_REGISTER_KERNELS(kEntries)
//
// The portable side asks by name: find_kernel("sum", DType::kFloat32), once per op at start-up.
// This header may be included by ISA files, so it uses no standard library code.
#pragma once

#include "core/dtype.h"
#include "core/on_device.h"

namespace pt {

enum class Isa : uint8_t { kBaseline, kAvx2, kAvx512 };
inline constexpr int kNumIsas = 3;

using AnyFn = void (*)();

struct KernelEntry {
  const char* name = nullptr;
  AnyFn fn[kNumDTypes] = {};  // indexed by DType; null where the kernel has no such type
  // Pointwise kernels only: the result is bool whatever the compute dtype (comparisons), and which
  // inputs are read as bool (the condition of `where`).
  bool bool_output = false;
  uint8_t bool_inputs = 0;
};

struct KernelList {
  const KernelEntry* entries;
  int count;
  Isa isa;
  KernelList* next;
};

// Links `list` into the chain of its ISA. Called by static initialisers only.
void register_kernels(KernelList* list);

// The entry for the active ISA (best supported, or PYTENSOR_ISA), or null.
const KernelEntry* find_kernel(const char* name);
Isa active_isa();
const char* isa_name(Isa isa);

// A device's library brings a table of its own with the same names and arguments; its kernels take
// device pointers and queue their work. The entry of the running call's device; raises
// NotImplementedError, naming the op, when there is none.
const KernelEntry& device_kernel(const char* name);
const KernelEntry* find_device_kernel(const char* name);  // null when there is none
[[noreturn]] void refuse_device_dtype(const char* name, DType t);

template <class Fn>
struct Kernel;  // Kernel<void(const GemmArgs&)> gemm{"gemm"}; gemm(dtype)(args)
template <class R, class... A>
struct Kernel<R(A...)> {
  using Fn = R (*)(A...);
  const char* name;
  mutable const KernelEntry* entry = nullptr;
  mutable const KernelEntry* device_entry = nullptr;
  constexpr explicit Kernel(const char* n) : name(n) {}
  // The function for the place where the call runs. Null when a cpu kernel has no such dtype.
  Fn get(DType t) const {
    if (call_on_device) [[unlikely]]
      return on_device(t);
    if (!entry) entry = find_kernel(name);
    return entry ? reinterpret_cast<Fn>(entry->fn[static_cast<int>(t)]) : nullptr;
  }
  Fn on_device(DType t) const {
    if (!device_entry) device_entry = &device_kernel(name);
    const AnyFn fn = device_entry->fn[static_cast<int>(t)];
    if (!fn) refuse_device_dtype(name, t);
    return reinterpret_cast<Fn>(fn);
  }
};

}  // namespace pt

#ifdef PT_ISA
#define PT_ISA_CONCAT2(a, b) a##b
#define PT_ISA_CONCAT(a, b) PT_ISA_CONCAT2(a, b)
namespace pt::PT_ISA {
#if defined(PT_ISA_IS_AVX512)
inline constexpr Isa kThisIsa = Isa::kAvx512;
inline constexpr int kVectorBytes = 64;
#elif defined(PT_ISA_IS_AVX2)
inline constexpr Isa kThisIsa = Isa::kAvx2;
inline constexpr int kVectorBytes = 32;
#else
inline constexpr Isa kThisIsa = Isa::kBaseline;
inline constexpr int kVectorBytes = 16;
#endif

}  // namespace pt::PT_ISA

// A slot of an entry: a constant expression, so that tables need no code at load time (which would
// run with this ISA's instructions on any CPU).
#define PT_FN(...) reinterpret_cast<::pt::AnyFn>(__VA_ARGS__)

// Registers a static array of KernelEntry for this translation unit.
#define PT_REGISTER_KERNELS(array)                                                        \
  namespace {                                                                             \
  ::pt::KernelList kernel_list{array, static_cast<int>(sizeof(array) / sizeof(array[0])), \
                               ::pt::PT_ISA::kThisIsa, nullptr};                          \
  [[maybe_unused]] const bool kernel_list_registered =                                    \
      (::pt::register_kernels(&kernel_list), true);                                       \
  }
#endif
