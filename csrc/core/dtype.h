// Element types: the DType enum, its C++ types and its static properties.
// Included by kernels (CPU and CUDA) and by everything above; no other project header but half.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/half.h"

namespace pt {

// The order is also the order of torch's promotion lattice within a category;
// serialised files and kernel tables index by it, so values are only ever appended.
enum class DType : uint8_t {
  kBool,
  kUInt8,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat16,
  kBFloat16,
  kFloat32,
  kFloat64,
  kComplex64,
  kComplex128,
};
inline constexpr int kNumDTypes = 12;

// X(enum constant, C++ storage type, name in Python)
#define PT_FOR_EACH_DTYPE(X)             \
  X(kBool, bool, "bool")                 \
  X(kUInt8, uint8_t, "uint8")            \
  X(kInt8, int8_t, "int8")               \
  X(kInt16, int16_t, "int16")            \
  X(kInt32, int32_t, "int32")            \
  X(kInt64, int64_t, "int64")            \
  X(kFloat16, pt::Half, "float16")       \
  X(kBFloat16, pt::BFloat16, "bfloat16") \
  X(kFloat32, float, "float32")          \
  X(kFloat64, double, "float64")

template <class T>
struct DTypeOf;
#define PT_DTYPE_OF(constant, type, name)           \
  template <>                                       \
  struct DTypeOf<type> {                            \
    static constexpr DType value = DType::constant; \
  };
PT_FOR_EACH_DTYPE(PT_DTYPE_OF)
#undef PT_DTYPE_OF
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

inline constexpr int kDTypeSizes[kNumDTypes] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16};
inline constexpr const char* kDTypeNames[kNumDTypes] = {
    "bool",    "uint8",    "int8",    "int16",   "int32",     "int64",
    "float16", "bfloat16", "float32", "float64", "complex64", "complex128"};

constexpr size_t item_size(DType t) { return kDTypeSizes[static_cast<int>(t)]; }
constexpr const char* dtype_name(DType t) { return kDTypeNames[static_cast<int>(t)]; }
constexpr bool is_floating(DType t) { return t >= DType::kFloat16 && t <= DType::kFloat64; }
constexpr bool is_complex(DType t) { return t >= DType::kComplex64; }
constexpr bool is_integral(DType t, bool include_bool) {
  return t <= DType::kInt64 && (include_bool || t != DType::kBool);
}
constexpr bool is_half(DType t) { return t == DType::kFloat16 || t == DType::kBFloat16; }
constexpr bool is_signed(DType t) { return t != DType::kBool && t != DType::kUInt8; }

// Calls f(T{}) with the C++ type of `t`; complex types are not kernel types yet and must be
// refused by the caller's dtype rule before.
template <class F>
decltype(auto) visit_dtype(DType t, F&& f) {
  switch (t) {
#define PT_CASE(constant, type, name) \
  case DType::constant:               \
    return f(type{});
    PT_FOR_EACH_DTYPE(PT_CASE)
#undef PT_CASE
    default:
      break;
  }
  __builtin_unreachable();
}

}  // namespace pt
