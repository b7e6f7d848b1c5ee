// Dtype conversion of contiguous arrays, for every pair of dtypes. float16 goes through float with
// F16C where the ISA has it; everything else is left to the auto-vectoriser.
#include "cpu/kernel_table.h"
#include "cpu/move_args.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace pt::PT_ISA {
namespace {

template <class D, class S>
inline D convert(S s) {
  if constexpr (__is_same(S, D)) {
    return s;
  } else if constexpr (__is_same(S, Half) || __is_same(S, BFloat16)) {
    return convert<D>(static_cast<float>(s));
  } else if constexpr (__is_same(D, Half) || __is_same(D, BFloat16)) {
    return D(static_cast<float>(s));
  } else if constexpr (__is_same(D, bool)) {
    return s != S(0);
  } else if constexpr ((__is_same(S, float) || __is_same(S, double)) && sizeof(D) < 4) {
    // Out of range is undefined in C++; going through int32 wraps small integers as torch does.
    return static_cast<D>(static_cast<int32_t>(s));
  } else {
    return static_cast<D>(s);
  }
}

template <class S, class D>
void cast(const void* src, void* dst, int64_t n) {
  const S* __restrict__ s = static_cast<const S*>(src);
  D* __restrict__ d = static_cast<D*>(dst);
  int64_t i = 0;
#if defined(__F16C__)
  if constexpr (__is_same(S, Half) && __is_same(D, float)) {
    for (; i + 8 <= n; i += 8)
      _mm256_storeu_ps(d + i,
                       _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(s + i))));
  }
  if constexpr (__is_same(S, float) && __is_same(D, Half)) {
    for (; i + 8 <= n; i += 8)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(d + i),
                       _mm256_cvtps_ph(_mm256_loadu_ps(s + i), _MM_FROUND_TO_NEAREST_INT));
  }
#endif
  for (; i < n; ++i) d[i] = convert<D>(s[i]);
}

// One entry for each source type, as a constant: a function that returned it would run at load.
template <class S>
constexpr const char* kCastName = nullptr;
#define PT_CAST_NAME(constant, type, name) \
  template <>                              \
  constexpr const char* kCastName<type> = "cast_from_" name;
PT_FOR_EACH_DTYPE(PT_CAST_NAME)
#undef PT_CAST_NAME

template <class, class... S>
struct Casts {
  static const KernelEntry entries[sizeof...(S)];
};
#define PT_CAST_SLOT(constant, type, name) PT_FN(&cast<S, type>),
template <class First, class... S>
const KernelEntry Casts<First, S...>::entries[sizeof...(S)] = {
    {kCastName<S>, {PT_FOR_EACH_DTYPE(PT_CAST_SLOT)}}...};
#undef PT_CAST_SLOT

#define PT_CAST_TYPE(constant, type, name) , type
using AllCasts = Casts<void PT_FOR_EACH_DTYPE(PT_CAST_TYPE)>;
#undef PT_CAST_TYPE

}  // namespace
PT_REGISTER_KERNELS(AllCasts::entries)
}  // namespace pt::PT_ISA
