// How kernels of the CUDA library get into its table. A .cu file ends with
//
//   const KernelEntry kEntries[] = {{"softmax", {PT_FLOAT_SLOTS(softmax)}}};
//   PT_REGISTER_DEVICE_KERNELS(kEntries)
//
// Names and arguments are those of the cpu's kernels (cpu/*_args.h).
#pragma once

#include "cpu/kernel_table.h"

namespace pt::cuda {

void register_kernels(KernelList* list);

}  // namespace pt::cuda

#define PT_FN(...) reinterpret_cast<::pt::AnyFn>(__VA_ARGS__)
#define PT_DEVICE_FN(...) reinterpret_cast<::pt::AnyFn>(&__VA_ARGS__)
// Slots of a KernelEntry, in the order of DType, for a template f<T>.
#define PT_NO_INTEGER_SLOTS nullptr, nullptr, nullptr, nullptr, nullptr, nullptr
#define PT_INTEGER_SLOTS(f)                                                    \
  PT_DEVICE_FN(f<uint8_t>), PT_DEVICE_FN(f<int8_t>), PT_DEVICE_FN(f<int16_t>), \
      PT_DEVICE_FN(f<int32_t>), PT_DEVICE_FN(f<int64_t>)
#define PT_HALF_SLOTS(f) PT_DEVICE_FN(f<::pt::Half>), PT_DEVICE_FN(f<::pt::BFloat16>)
#define PT_FLOAT_SLOTS(f) \
  PT_NO_INTEGER_SLOTS, PT_HALF_SLOTS(f), PT_DEVICE_FN(f<float>), PT_DEVICE_FN(f<double>)
#define PT_REAL_SLOTS(f) \
  PT_NO_INTEGER_SLOTS, nullptr, nullptr, PT_DEVICE_FN(f<float>), PT_DEVICE_FN(f<double>)
#define PT_NUMBER_SLOTS(f) \
  nullptr, PT_INTEGER_SLOTS(f), PT_HALF_SLOTS(f), PT_DEVICE_FN(f<float>), PT_DEVICE_FN(f<double>)
#define PT_ALL_SLOTS(f)                                                                 \
  PT_DEVICE_FN(f<bool>), PT_INTEGER_SLOTS(f), PT_HALF_SLOTS(f), PT_DEVICE_FN(f<float>), \
      PT_DEVICE_FN(f<double>)

#define PT_REGISTER_DEVICE_KERNELS(array)                                                        \
  static ::pt::KernelList device_kernel_list{                                                    \
      array, static_cast<int>(sizeof(array) / sizeof(array[0])), ::pt::Isa::kBaseline, nullptr}; \
  [[maybe_unused]] static const bool device_kernels_registered =                                 \
      (::pt::cuda::register_kernels(&device_kernel_list), true);
