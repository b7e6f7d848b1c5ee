// Pointwise kernels: arithmetic, rounding, minimum and maximum. Name: inputs.
//   add sub mul: a, b            add_alpha sub_alpha: a, b, alpha (a +- alpha b)
//   div: a, b (float)            div_floor div_trunc remainder fmod: a, b
//   neg abs sign sgn square: x   reciprocal sqrt rsqrt floor ceil trunc round frac: x (float)
//   round_decimals: x, 10^|decimals|, nonzero if decimals < 0
//   maximum minimum: a, b        fmax fmin: a, b (float)
//   clamp: x, min, max           clamp_min: x, min       clamp_max: x, max
//   lerp: start, end, weight     addcmul addcdiv: self, a, b, value
//   copysign: a, sign of b       heaviside: x, value at 0
//   nan_to_num: x, nan, posinf, neginf
//   deg2rad rad2deg: x           hypot nextafter: a, b   gcd lcm: a, b (integer)
//   frexp: x -> mantissa, int32 exponent (two outputs)
#include "cpu/pointwise.h"
#include "ops/functors/arithmetic.h"

#if defined(PT_ISA_IS_AVX512)
#include <immintrin.h>
#endif

namespace pt::PT_ISA {
namespace {

#if defined(PT_ISA_IS_AVX512)
// The square root instruction takes 12 cycles a vector on Intel's processors. A step of
// Goldschmidt's iteration from a 14-bit estimate of 1/sqrt(x), and a correction by the exact
// remainder, take half as long and round correctly too (checked for every mantissa) where nothing
// over- or underflows.
inline __m512 sqrt_vector(__m512 x) {
  constexpr __mmask16 all = 0xffff;
  const __m512i lowest = _mm512_castps_si512(_mm512_set1_ps(0x1p-100f));
  const __m512i range = _mm512_sub_epi32(_mm512_castps_si512(_mm512_set1_ps(0x1p100f)), lowest);
  const __m512i place = _mm512_sub_epi32(_mm512_castps_si512(x), lowest);
  if (__builtin_expect(_mm512_cmpgt_epu32_mask(place, range), 0)) {
    return _mm512_maskz_sqrt_ps(all, x);
  }
  const __m512 half = _mm512_set1_ps(0.5f);
  const __m512 y = _mm512_maskz_rsqrt14_ps(all, x);
  const __m512 s = _mm512_mul_ps(x, y), h = _mm512_mul_ps(half, y);
  const __m512 r = _mm512_fnmadd_ps(s, h, half);
  const __m512 s1 = _mm512_fmadd_ps(s, r, s), h1 = _mm512_fmadd_ps(h, r, h);
  return _mm512_fmadd_ps(_mm512_fnmadd_ps(s1, s1, x), h1, s1);
}
void sqrt_float(void* const* out, const void* const* in, uint32_t mask, int64_t n) {
  if (mask & 1) return pointwise_kernel<Sqrt, float, float>(out, in, mask, n);
  const float* p = static_cast<const float*>(in[0]);
  float* q = static_cast<float*>(out[0]);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) _mm512_storeu_ps(q + i, sqrt_vector(_mm512_loadu_ps(p + i)));
  if (i == n) return;
  const __mmask16 rest = static_cast<__mmask16>((1u << (n - i)) - 1);
  const __m512 x = _mm512_mask_loadu_ps(_mm512_set1_ps(1.0f), rest, p + i);
  _mm512_mask_storeu_ps(q + i, rest, sqrt_vector(x));
}
#else
void sqrt_float(void* const* out, const void* const* in, uint32_t mask, int64_t n) {
  pointwise_kernel<Sqrt, float, float>(out, in, mask, n);
}
#endif

template <class T>
void frexp_kernel(void* const* out, const void* const* in, uint32_t mask, int64_t n) {
  const T* x = static_cast<const T*>(in[0]);
  T* mantissa = static_cast<T*>(out[0]);
  int32_t* exponent = static_cast<int32_t*>(out[1]);
  const int64_t step = (mask & 1) ? 0 : 1;
  for (int64_t i = 0; i < n; ++i) {
    int e = 0;
    const T v = x[i * step];
    if constexpr (kIsDouble<T>) {
      mantissa[i] = __builtin_frexp(v, &e);
    } else {
      mantissa[i] = __builtin_frexpf(v, &e);
    }
    exponent[i] = math::abs(v) < math::kInf<T> ? e : 0;
  }
}

constinit const KernelEntry kernels[] = {
#include "ops/functors/rows_arithmetic.h"
    PT_KERNEL_ROW("sqrt", 1, Sqrt, float, nullptr, nullptr, nullptr, nullptr, nullptr,
                  PT_FN(&sqrt_float), PT_POINTWISE(1, Sqrt, double)),
    {"frexp",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
      PT_FN(&frexp_kernel<float>), PT_FN(&frexp_kernel<double>)}},
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
