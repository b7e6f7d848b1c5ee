// Half (IEEE binary16) and BFloat16 as storage types: two bytes with conversions to and from
// float, round to nearest even. Arithmetic happens in float. Shared by CPU and CUDA kernels.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define PT_HD __host__ __device__
#else
#define PT_HD
#endif

namespace pt {

namespace half_detail {
PT_HD inline float as_float(uint32_t u) { return __builtin_bit_cast(float, u); }
PT_HD inline uint32_t as_bits(float f) { return __builtin_bit_cast(uint32_t, f); }
}  // namespace half_detail

struct BFloat16 {
  uint16_t bits;
  BFloat16() = default;
  PT_HD explicit BFloat16(float f) {
    const uint32_t u = half_detail::as_bits(f);
    const uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    bits = static_cast<uint16_t>((u & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
  }
  PT_HD operator float() const { return half_detail::as_float(uint32_t{bits} << 16); }
};

struct Half {
  uint16_t bits;
  Half() = default;
  PT_HD explicit Half(float f) {
    const uint32_t u = half_detail::as_bits(f);
    const uint32_t sign = (u >> 16) & 0x8000u;
    const uint32_t a = u & 0x7fffffffu;
    uint32_t h;
    if (a > 0x7f800000u) {
      h = 0x7e00u;  // NaN
    } else if (a >= 0x477ff000u) {
      h = 0x7c00u;  // rounds to infinity: 65520 and above
    } else if (a < 0x38800000u) {
      // Subnormal result: adding 0.5 aligns the mantissa so that float addition rounds it.
      h = half_detail::as_bits(half_detail::as_float(a) + 0.5f) - 0x3f000000u;
    } else {
      h = (a - 0x38000000u + 0xfffu + ((a >> 13) & 1u)) >> 13;
    }
    bits = static_cast<uint16_t>(sign | h);
  }
  PT_HD operator float() const {
    const uint32_t sign = uint32_t{bits & 0x8000u} << 16;
    const uint32_t a = bits & 0x7fffu;
    uint32_t u;
    if (a >= 0x7c00u) {
      u = (a << 13) + 0x70000000u;  // infinity and NaN: exponent 31 -> 255
    } else if (a >= 0x400u) {
      u = (a << 13) + 0x38000000u;
    } else {
      u = half_detail::as_bits(static_cast<float>(a) * 0x1p-24f);
    }
    return half_detail::as_float(sign | u);
  }
};

static_assert(sizeof(Half) == 2 && sizeof(BFloat16) == 2);

}  // namespace pt
