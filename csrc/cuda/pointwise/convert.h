// Elements of any dtype as a kernel's compute type: loads and stores that convert.
#pragma once

#include "core/dtype.h"
#include "cuda/pt_cuda.h"

namespace pt::cuda {

template <class T>
inline constexpr bool kHalfType = false;
template <>
inline constexpr bool kHalfType<Half> = true;
template <>
inline constexpr bool kHalfType<BFloat16> = true;

// As the cpu converts: floats to small integers by way of int32, anything but zero is true.
template <class To, class From>
PT_DEVICE To convert(From v) {
  if constexpr (std::is_same_v<To, From>) {
    return v;
  } else if constexpr (kHalfType<From>) {
    return convert<To>(static_cast<float>(v));
  } else if constexpr (kHalfType<To>) {
    return To(static_cast<float>(v));
  } else if constexpr (std::is_same_v<To, bool>) {
    return v != From(0);
  } else if constexpr (std::is_floating_point_v<From> && sizeof(To) < 4) {
    return static_cast<To>(static_cast<int32_t>(v));
  } else {
    return static_cast<To>(v);
  }
}

// Not inlined: a kernel has several of them, each ten cases long, and most calls need none.
template <class T>
PT_DEVICE_CALL T load_converted(const char* p, DType dtype) {
  switch (dtype) {
#define PT_LOAD_CASE(constant, type, name) \
  case DType::constant:                    \
    return convert<T>(*reinterpret_cast<const type*>(p));
    PT_FOR_EACH_DTYPE(PT_LOAD_CASE)
#undef PT_LOAD_CASE
    default:
      return T{};
  }
}
template <class T>
PT_DEVICE_CALL void store_converted(char* p, DType dtype, T v) {
  switch (dtype) {
#define PT_STORE_CASE(constant, type, name)         \
  case DType::constant:                             \
    *reinterpret_cast<type*>(p) = convert<type>(v); \
    break;
    PT_FOR_EACH_DTYPE(PT_STORE_CASE)
#undef PT_STORE_CASE
    default:
      break;
  }
}

template <class T>
PT_DEVICE T load_as(const char* p, DType dtype) {
  return dtype == dtype_of<T> ? *reinterpret_cast<const T*>(p) : load_converted<T>(p, dtype);
}
template <class T>
PT_DEVICE void store_as(char* p, DType dtype, T v) {
  if (dtype == dtype_of<T>) {
    *reinterpret_cast<T*>(p) = v;
  } else {
    store_converted<T>(p, dtype, v);
  }
}

}  // namespace pt::cuda
