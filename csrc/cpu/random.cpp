// Random kernels: the bulk steps of MT19937 and the maps from its words to values.
//
// Results are PyTorch's bit for bit on every ISA: each operation rounds as written there, so
// contraction is off and the fused multiply-adds are spelled out. The Box-Muller transform
// uses the Cephes single-precision log and sincos polynomials (S. Moshier, netlib.org/cephes).
// Plain loops over small tiles, which the compiler vectorises: no branches inside, and arguments
// copied into locals, which stores through `out` cannot change.
#include "cpu/random_args.h"

#include "core/dtype.h"
#include "cpu/kernel_table.h"

#pragma GCC optimize("fp-contract=off")

namespace pt::PT_ISA {
namespace {

constexpr uint64_t kMask53 = (1ull << 53) - 1;
constexpr int kTile = 512;  // elements worked on at a time, so that steps stay in the L1 cache

// Conversions. Those of Half are written so that they vectorise: every case is computed, one
// selected.
template <class T>
inline T to(float x) {
  return static_cast<T>(x);
}
template <>
inline Half to<Half>(float x) {
  const uint32_t u = __builtin_bit_cast(uint32_t, x);
  const uint32_t a = u & 0x7fffffffu;
  const uint32_t rounded = (a - 0x38000000u + 0xfffu + ((a >> 13) & 1u)) >> 13;
  const uint32_t subnormal =
      __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, a) + 0.5f) - 0x3f000000u;
  uint32_t h = a < 0x38800000u ? subnormal : rounded;
  h = a >= 0x477ff000u ? 0x7c00u : h;
  h = a > 0x7f800000u ? 0x7e00u : h;
  Half result;
  result.bits = static_cast<uint16_t>(h | ((u >> 16) & 0x8000u));
  return result;
}

// out[i] = x. Halves go by their bits: assigning the struct keeps a loop from vectorising.
template <class T>
inline void put(T* out, int64_t i, float x) {
  if constexpr (is_half(dtype_of<T>))
    out[i].bits = to<T>(x).bits;
  else
    out[i] = x;
}

template <class T, class I>
inline void put_integer(T* out, int64_t i, I x) {
  if constexpr (is_half(dtype_of<T>))
    put(out, i, static_cast<float>(x));
  else
    out[i] = static_cast<T>(x);
}

template <class T>
inline auto widen(T x) {
  if constexpr (dtype_of<T> == DType::kFloat16) {
    const uint32_t a = (x.bits & 0x7fffu) << 13;
    // Scaling by 2^112 moves the exponent from Half's bias to float's, subnormals included.
    const float scaled = __builtin_bit_cast(float, a) * 0x1p112f;
    const uint32_t u = a >= 0x0f800000u ? a + 0x70000000u : __builtin_bit_cast(uint32_t, scaled);
    return __builtin_bit_cast(float, u | (x.bits & 0x8000u) << 16);
  } else {
    return x * 1.0f;
  }
}

void extend(uint32_t* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t low = x[i - 623];
    const uint32_t y = (x[i - 624] & 0x80000000u) | (low & 0x7fffffffu);
    x[i] = x[i - 227] ^ (y >> 1) ^ ((0u - (low & 1u)) & 0x9908b0dfu);
  }
}

inline uint32_t temper(uint32_t y) {
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

// The low 24 bits times 2^-24.
inline float unit24(uint32_t raw) {
  return static_cast<float>(static_cast<int32_t>(temper(raw) & 0xffffffu)) * 0x1p-24f;
}

// Two words as one 64-bit draw; the first word is the high half.
inline void draws64(const uint32_t* raw, uint64_t* out, int64_t n) {
  uint32_t words[2 * kTile];
  for (int64_t i = 0; i < 2 * n; ++i) words[i] = temper(raw[i]);
  for (int64_t i = 0; i < n; ++i) out[i] = uint64_t{words[2 * i]} << 32 | words[2 * i + 1];
}

// The low 53 bits times 2^-53, by adding both halves as doubles: exact, and without the 64-bit
// conversion that older vector units lack.
inline double unit53(uint64_t draw) {
  const int32_t high = static_cast<int32_t>((draw & kMask53) >> 32);
  const int32_t low = static_cast<int32_t>(static_cast<uint32_t>(draw) ^ 0x80000000u);
  return static_cast<double>(high) * 0x1p-21 + (static_cast<double>(low) + 0x1p31) * 0x1p-53;
}

void unit_f24(const uint32_t* raw, double* out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = unit24(raw[i]);
}

void unit_f53(const uint32_t* raw, double* out, int64_t n) {
  uint64_t draw[kTile];
  for (int64_t i = 0; i < n; i += kTile) {
    const int64_t count = n - i < kTile ? n - i : kTile;
    draws64(raw + 2 * i, draw, count);
    for (int64_t j = 0; j < count; ++j) out[i + j] = unit53(draw[j]);
  }
}

// x * y + z with one rounding.
inline float fused(float x, float y, float z) {
#if defined(PT_ISA_IS_AVX512) || defined(PT_ISA_IS_AVX2) || defined(__FMA__)
  return __builtin_fmaf(x, y, z);
#else
  // The product is exact in double, so only a sum that lands halfway between two floats can round
  // wrongly to float; then the sum's own rounding error, recovered exactly, breaks the tie.
  const double product = static_cast<double>(x) * y;
  const double sum = product + z;
  const double part = sum - product;
  const double error = (product - (sum - part)) + (z - part);
  // Written with 64-bit shifts and sums, as the oldest vector units have no 64-bit comparisons.
  const uint64_t bits = __builtin_bit_cast(uint64_t, sum);
  const uint64_t error_bits = __builtin_bit_cast(uint64_t, error);
  const uint64_t halfway = (((bits & 0x1fffffff) ^ 0x10000000) - 1) >> 63;
  const uint64_t exact = ((error_bits & (~0ull >> 1)) - 1) >> 63;
  const uint64_t opposite = (bits ^ error_bits) >> 63;
  const uint64_t away = (1 - 2 * opposite) & (0 - (halfway & (1 - exact)));
  return static_cast<float>(__builtin_bit_cast(double, bits + away));
#endif
}

// u * span + from with one rounding, which needs no fused operation where from is 0.
template <class T, bool kFromZero>
void uniform_loop(const RealArgs a) {
  T* out = static_cast<T*>(a.out);
  if constexpr (sizeof(T) == 8) {
    const double span = a.b - a.a;
    unit_f53(a.raw, out, a.n);
    for (int64_t i = 0; i < a.n; ++i) {
      const double value = kFromZero ? out[i] * span : __builtin_fma(out[i], span, a.a);
      out[i] = value == a.b ? a.a : value;
    }
  } else {
    const float from = static_cast<float>(a.a);
    const float span = static_cast<float>(a.b) - from;
    const T first = static_cast<T>(from);
    const float last = static_cast<T>(static_cast<float>(a.b));
    for (int64_t i = 0; i < a.n; ++i) {
      const float u = unit24(a.raw[i]);
      // Rounding, to a short type above all, may reach the excluded end.
      const T value = to<T>(kFromZero ? u * span : fused(u, span, from));
      const bool at_end = widen(value) == last;
      if constexpr (is_half(dtype_of<T>))
        out[i].bits = at_end ? first.bits : value.bits;
      else
        out[i] = at_end ? first : value;
    }
  }
}

template <class T>
void uniform(const RealArgs& a) {
  a.a == 0 ? uniform_loop<T, true>(a) : uniform_loop<T, false>(a);
}

// Natural logarithm of a normal number in (0, 1].
inline float log_unit(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  const int32_t exponent = static_cast<int32_t>(bits >> 23) - 127;
  const float m = __builtin_bit_cast(float, (bits & 0x807fffffu) | 0x3f000000u);
  const bool small = m < 0.707106781186547524f;
  const float e = (static_cast<float>(exponent) + 1.0f) - (small ? 1.0f : 0.0f);
  x = (m - 1.0f) + (small ? m : 0.0f);
  const float z = x * x;
  float y = 7.0376836292e-2f;
  y = fused(y, x, -1.1514610310e-1f);
  y = fused(y, x, 1.1676998740e-1f);
  y = fused(y, x, -1.2420140846e-1f);
  y = fused(y, x, 1.4249322787e-1f);
  y = fused(y, x, -1.6668057665e-1f);
  y = fused(y, x, 2.0000714765e-1f);
  y = fused(y, x, -2.4999993993e-1f);
  y = fused(y, x, 3.3333331174e-1f);
  y = fused(y * x, z, e * -2.12194440e-4f);
  y = y - z * 0.5f;
  return fused(e, 0.693359375f, x + y);
}

inline float with_sign(float x, uint32_t sign) {
  return __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, x) ^ sign);
}

// Sine and cosine of an angle in [0, 2 pi].
inline void sincos_turn(float x, float* sine, float* cosine) {
  const int32_t octant = (static_cast<int32_t>(x * 1.27323954473516f) + 1) & ~1;
  const float j = static_cast<float>(octant);
  const uint32_t sine_sign = static_cast<uint32_t>(octant & 4) << 29;
  const uint32_t cosine_sign = static_cast<uint32_t>(~(octant - 2) & 4) << 29;
  const bool direct = (octant & 2) == 0;  // else the two polynomials swap roles
  x = fused(j, -0.78515625f, x);
  x = fused(j, -2.4187564849853515625e-4f, x);
  x = fused(j, -3.77489497744594108e-8f, x);
  const float z = x * x;
  float c = 2.443315711809948e-005f;
  c = fused(c, z, -1.388731625493765e-003f);
  c = fused(c, z, 4.166664568298827e-002f);
  c = fused(c * z, z, -(z * 0.5f));
  c = c + 1.0f;
  float s = -1.9515295891e-4f;
  s = fused(s, z, 8.3321608736e-3f);
  s = fused(s, z, -1.6666654611e-1f);
  s = fused(s * z, x, x);
  // Adding zero turns a negative zero positive, as the sum of masked values does in the original.
  *sine = with_sign((direct ? s : c) + 0.0f, sine_sign);
  *cosine = with_sign((direct ? c : s) + 0.0f, cosine_sign);
}

template <class T>
void normal(const RealArgs& args) {
  const RealArgs a = args;
  constexpr int kPairs = kTile / 2;
  const float mean = static_cast<float>(a.a), std = static_cast<float>(a.b);
  T* out = static_cast<T*>(a.out);
  float radius[kPairs], angle[kPairs];
  for (int64_t i = 0; i < a.n; i += kTile) {
    const int64_t pairs = (a.n - i < kTile ? a.n - i : kTile) / 2;
    for (int64_t block = 0; block < pairs; block += 8) {
      const uint32_t* raw = a.raw + i + 2 * block;
      for (int j = 0; j < 8; ++j) radius[block + j] = unit24(raw[j]);
      for (int j = 0; j < 8; ++j) angle[block + j] = unit24(raw[j + 8]);
    }
    for (int64_t p = 0; p < pairs; ++p) {
      const float r = __builtin_sqrtf(-2.0f * log_unit(1.0f - radius[p]));
      float sine, cosine;
      sincos_turn(angle[p] * 6.283185307179586f, &sine, &cosine);
      radius[p] = fused(r * cosine, std, mean);
      angle[p] = fused(r * sine, std, mean);
    }
    for (int64_t block = 0; block < pairs; block += 8) {
      T* values = out + i + 2 * block;
      for (int j = 0; j < 8; ++j) put(values, j, radius[block + j]);
      for (int j = 0; j < 8; ++j) put(values, j + 8, angle[block + j]);
    }
  }
}

// flags[i] = whether the draw's 53 bits are below the threshold.
inline void draw_flags(const uint32_t* raw, uint64_t threshold, uint32_t* flags, int64_t n) {
  uint64_t draw[kTile];
  draws64(raw, draw, n);
  for (int64_t i = 0; i < n; ++i) {
    flags[i] = static_cast<uint32_t>(((draw[i] & kMask53) - threshold) >> 63);
  }
}

template <class T>
void bernoulli(const BernoulliArgs& args) {
  const BernoulliArgs a = args;
  T* out = static_cast<T*>(a.out);
  uint32_t flags[kTile];
  for (int64_t i = 0; i < a.n; i += kTile) {
    const int64_t count = a.n - i < kTile ? a.n - i : kTile;
    draw_flags(a.raw + 2 * i, a.threshold, flags, count);
    for (int64_t j = 0; j < count; ++j) {
      put_integer(out, i + j, static_cast<int32_t>(flags[j]));
    }
  }
}

template <class T>
void dropout(const DropoutArgs& args) {
  const DropoutArgs a = args;
  using Wide = decltype(widen(T()));
  const Wide scale = widen(static_cast<T>(Wide(1) / static_cast<Wide>(a.keep)));
  const T* x = static_cast<const T*>(a.x);
  T* out = static_cast<T*>(a.out);
  uint32_t flags[kTile];
  for (int64_t i = 0; i < a.n; i += kTile) {
    const int64_t count = a.n - i < kTile ? a.n - i : kTile;
    draw_flags(a.raw + 2 * i, a.threshold, flags, count);
    for (int64_t j = 0; j < count; ++j) {
      const Wide product = widen(x[i + j]) * (flags[j] ? scale : Wide(0));
      if constexpr (is_half(dtype_of<T>))
        put(out, i + j, product);
      else
        out[i + j] = product;
    }
    if (a.mask == nullptr) continue;
    for (int64_t j = 0; j < count; ++j) a.mask[i + j] = flags[j] != 0;
  }
}

// Remainders by an invariant divisor without division (T. Granlund and P. Montgomery, "Division
// by Invariant Integers using Multiplication", 1994, figure 4.1).
struct Remainder {
  uint32_t divisor, multiplier;
  int shift1, shift2;

  explicit Remainder(uint64_t d) : divisor(static_cast<uint32_t>(d)) {
    int l = 0;
    while ((1ull << l) < d) ++l;
    multiplier = static_cast<uint32_t>((((1ull << l) - d) << 32) / d + 1);
    shift1 = l < 1 ? l : 1;
    shift2 = l < 1 ? 0 : l - 1;
  }
  uint32_t operator()(uint32_t x) const {
    const uint32_t t = static_cast<uint32_t>((uint64_t{multiplier} * x) >> 32);
    return x - ((t + ((x - t) >> shift1)) >> shift2) * divisor;
  }
};

template <class T>
void integers(const IntegersArgs& args) {
  const IntegersArgs a = args;
  T* out = static_cast<T*>(a.out);
  if (a.two_words) {
    uint64_t draw[kTile];
    for (int64_t i = 0; i < a.n; i += kTile) {
      const int64_t count = a.n - i < kTile ? a.n - i : kTile;
      draws64(a.raw + 2 * i, draw, count);
      const bool power_of_two = (a.range & (a.range - 1)) == 0;
      for (int64_t j = 0; j < count; ++j) {
        const uint64_t r = power_of_two ? draw[j] & (a.range - 1) : draw[j] % a.range;
        put_integer(out, i + j, static_cast<int64_t>(r + static_cast<uint64_t>(a.base)));
      }
    }
    return;
  }
  const Remainder remainder(a.range);
  const int64_t last = a.base + static_cast<int64_t>(a.range) - 1;
  if (a.base >= INT32_MIN && last <= INT32_MAX) {
    const int32_t base = static_cast<int32_t>(a.base);
    for (int64_t i = 0; i < a.n; ++i) {
      put_integer(out, i, static_cast<int32_t>(remainder(temper(a.raw[i]))) + base);
    }
  } else {
    for (int64_t i = 0; i < a.n; ++i) {
      put_integer(out, i, static_cast<int64_t>(remainder(temper(a.raw[i]))) + a.base);
    }
  }
}

#define PT_ALL_DTYPES(fn)                                                          \
  {PT_FN(fn<bool>),    PT_FN(fn<uint8_t>), PT_FN(fn<int8_t>), PT_FN(fn<int16_t>),  \
   PT_FN(fn<int32_t>), PT_FN(fn<int64_t>), PT_FN(fn<Half>),   PT_FN(fn<BFloat16>), \
   PT_FN(fn<float>),   PT_FN(fn<double>)}
#define PT_FLOAT_DTYPES(fn)                                                  \
  {nullptr,          nullptr,          nullptr,         nullptr,             \
   nullptr,          nullptr,          PT_FN(fn<Half>), PT_FN(fn<BFloat16>), \
   PT_FN(fn<float>), PT_FN(fn<double>)}

const KernelEntry kKernels[] = {
    {"random_extend", {nullptr, nullptr, nullptr, nullptr, PT_FN(extend)}},
    {"random_unit",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(unit_f24),
      PT_FN(unit_f53)}},
    {"uniform", PT_FLOAT_DTYPES(uniform)},
    {"normal",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(normal<Half>),
      PT_FN(normal<BFloat16>), PT_FN(normal<float>)}},
    {"bernoulli", PT_ALL_DTYPES(bernoulli)},
    {"dropout", PT_FLOAT_DTYPES(dropout)},
    {"random_integers", PT_ALL_DTYPES(integers)},
};

}  // namespace

PT_REGISTER_KERNELS(kKernels)

}  // namespace pt::PT_ISA
