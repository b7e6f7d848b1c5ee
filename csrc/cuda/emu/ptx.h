// What C++ made of PTX (tools/ptx2cpp) calls: the instructions that are no operator of C++, with
// PTX's rules for NaN, shifts beyond the width, division by zero and conversions out of range.
#pragma once

#ifndef PT_EMU_PTX
#define PT_EMU_PTX
#endif
#include <algorithm>
#include <cfenv>
#include <limits>

#include "core/half.h"
#include "cuda/emu/cuda_runtime.h"
#include "cuda/emu/matrix.h"

namespace pt::emu::ptx {

struct Registration {
  Registration(const char* file, const char* name,
               void (*run)(const unsigned char*, char*, uint32_t), uint32_t shared);
};

// --- memory ------------------------------------------------------------------------------------
template <class T, int n>
struct alignas(sizeof(T) * n) Vector {
  T v[n];
};
template <class T>
T* pointer(uint64_t address) {
  return reinterpret_cast<T*>(address);
}
template <class T>
T* pointer(char* address) {
  return reinterpret_cast<T*>(address);
}
template <class T, class Address>
T load(Address address) {
  return *pointer<const T>(address);
}
template <>
inline bool load<bool, uint64_t>(uint64_t address) {
  return *pointer<const uint8_t>(address) != 0;
}
template <class T, class Address>
void store(Address address, const T& v) {
  *pointer<T>(address) = v;
}

// --- bits --------------------------------------------------------------------------------------
inline float as_float(uint32_t u) { return __builtin_bit_cast(float, u); }
inline double as_double(uint64_t u) { return __builtin_bit_cast(double, u); }
template <class T>
auto bits_of(T v) {
  if constexpr (sizeof(T) == 4) {
    return __builtin_bit_cast(uint32_t, v);
  } else {
    return __builtin_bit_cast(uint64_t, v);
  }
}
inline float half_value(uint16_t bits) {
  return static_cast<float>(__builtin_bit_cast(Half, bits));
}
inline float bfloat_value(uint16_t bits) {
  return static_cast<float>(__builtin_bit_cast(BFloat16, bits));
}
inline uint16_t half_bits(float v) { return Half(v).bits; }
inline uint16_t bfloat_bits(float v) { return BFloat16(v).bits; }
inline uint32_t tf32_bits(float v) { return tf32_of(bits_of(v)); }

template <class T>
T shift_left(T a, uint32_t n) {
  using U = std::make_unsigned_t<T>;
  return n >= sizeof(T) * 8 ? T(0) : static_cast<T>(static_cast<U>(a) << n);
}
template <class T>
T shift_right(T a, uint32_t n) {
  constexpr uint32_t most = sizeof(T) * 8 - 1;
  if (n > most) return std::is_signed_v<T> && a < 0 ? static_cast<T>(-1) : T(0);
  return static_cast<T>(a >> n);
}
inline uint32_t funnel_l_wrap(uint32_t low, uint32_t high, uint32_t n) {
  n &= 31;
  return n ? high << n | low >> (32 - n) : high;
}
inline uint32_t funnel_r_wrap(uint32_t low, uint32_t high, uint32_t n) {
  n &= 31;
  return n ? low >> n | high << (32 - n) : low;
}
inline uint32_t funnel_l_clamp(uint32_t low, uint32_t high, uint32_t n) {
  return n >= 32 ? low : funnel_l_wrap(low, high, n);
}
inline uint32_t funnel_r_clamp(uint32_t low, uint32_t high, uint32_t n) {
  return n >= 32 ? high : funnel_r_wrap(low, high, n);
}
template <class T>
uint32_t count_ones(T a) {
  return static_cast<uint32_t>(__builtin_popcountll(static_cast<std::make_unsigned_t<T>>(a)));
}
template <class T>
uint32_t leading_zeros(T a) {
  const uint64_t u = static_cast<std::make_unsigned_t<T>>(a);
  return u ? static_cast<uint32_t>(__builtin_clzll(u)) - (64 - sizeof(T) * 8) : sizeof(T) * 8;
}
template <class T>
uint32_t highest_bit(T a) {
  if (std::is_signed_v<T> && a < 0) a = static_cast<T>(~a);
  return a ? static_cast<uint32_t>(sizeof(T) * 8 - 1) - leading_zeros(a) : 0xffffffffu;
}
template <class T>
T reversed(T a) {
  T r = 0;
  for (size_t i = 0; i < sizeof(T) * 8; ++i) r |= (a >> i & 1) << (sizeof(T) * 8 - 1 - i);
  return r;
}
template <class T>
T extract_field(T a, uint32_t at, uint32_t length) {
  constexpr uint32_t width = sizeof(T) * 8;
  at &= 0xff;
  length &= 0xff;
  if (length == 0) return 0;
  const uint32_t top = std::min(at + length - 1, width - 1);
  const bool sign = std::is_signed_v<T> && (static_cast<uint64_t>(a) >> top & 1);
  uint64_t r = at >= width ? 0 : static_cast<std::make_unsigned_t<T>>(a) >> at;
  if (length < 64) r &= (uint64_t{1} << length) - 1;
  if (sign && length < width) {
    const uint32_t kept = at >= width ? 0 : std::min(length, width - at);
    if (kept < 64) r |= ~uint64_t{0} << kept;
  }
  return static_cast<T>(r);
}
template <class T>
T insert_field(T a, T b, uint32_t at, uint32_t length) {
  at &= 0xff;
  length &= 0xff;
  for (uint32_t i = 0; i < length && at + i < sizeof(T) * 8; ++i) {
    const T bit = T(1) << (at + i);
    b = (a >> i & 1) ? b | bit : b & ~bit;
  }
  return b;
}
inline uint32_t permuted(uint32_t a, uint32_t b, uint32_t selection) {
  const uint64_t all = uint64_t{b} << 32 | a;
  uint32_t r = 0;
  for (int i = 0; i < 4; ++i) {
    const uint32_t s = selection >> (4 * i) & 15;
    uint32_t byte = all >> (8 * (s & 7)) & 255;
    if (s & 8) byte = byte & 128 ? 255 : 0;
    r |= byte << (8 * i);
  }
  return r;
}
template <int kTable>
uint32_t lookup(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t r = 0;
  for (int i = 0; i < 8; ++i)
    if (kTable >> i & 1) r |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
  return r;
}

template <class A, class B>
uint32_t dot_of_bytes(uint32_t a, uint32_t b, uint32_t c) {
  for (int i = 0; i < 4; ++i)
    c += static_cast<uint32_t>(static_cast<A>(a >> (8 * i)) * static_cast<B>(b >> (8 * i)));
  return c;
}

// --- arithmetic --------------------------------------------------------------------------------
template <class T>
T quotient(T a, T b) {
  if (b == 0) return static_cast<T>(-1);
  if (std::is_signed_v<T> && b == static_cast<T>(-1))
    return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(a));
  return static_cast<T>(a / b);
}
template <class T>
T remainder_of(T a, T b) {
  if (b == 0) return a;
  return std::is_signed_v<T> && b == static_cast<T>(-1) ? T(0) : static_cast<T>(a % b);
}
template <class T>
T magnitude(T a) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fabs(a);
  } else {
    return a < 0 ? static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(a)) : a;
  }
}
template <class T, bool kNan>
T smaller(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a)) return kNan ? a : b;
    if (std::isnan(b)) return kNan ? b : a;
    if (a == b) return std::signbit(a) ? a : b;
  }
  return a < b ? a : b;
}
template <class T, bool kNan>
T larger(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a)) return kNan ? a : b;
    if (std::isnan(b)) return kNan ? b : a;
    if (a == b) return std::signbit(a) ? b : a;
  }
  return a < b ? b : a;
}
inline float saturated(float v) { return v > 0 ? (v < 1 ? v : 1) : 0; }

// Towards zero, minus or plus infinity.
template <char kMode>
struct Rounding {
  int before = std::fegetround();
  Rounding() {
    std::fesetround(kMode == 'z' ? FE_TOWARDZERO : kMode == 'm' ? FE_DOWNWARD : FE_UPWARD);
  }
  ~Rounding() { std::fesetround(before); }
};
template <char kMode, class T>
__attribute__((noinline)) T rounded_add(T a, T b) {
  const Rounding<kMode> mode;
  volatile T x = a, y = b;
  volatile T r = x + y;
  return r;
}
template <char kMode, class T>
__attribute__((noinline)) T rounded_multiply(T a, T b) {
  const Rounding<kMode> mode;
  volatile T x = a, y = b;
  volatile T r = x * y;
  return r;
}
template <char kMode, class T>
__attribute__((noinline)) T rounded_fma(T a, T b, T c) {
  const Rounding<kMode> mode;
  volatile T x = a, y = b, z = c;
  volatile T r = std::fma(T(x), T(y), T(z));
  return r;
}
template <char kMode>
__attribute__((noinline)) float narrowed(double v) {
  const Rounding<kMode> mode;
  volatile double x = v;
  volatile float r = static_cast<float>(x);
  return r;
}

// --- conversions -------------------------------------------------------------------------------
template <class T, class F>
T to_integer(F v) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(v)) return sizeof(T) == 8 ? static_cast<T>(uint64_t{1} << 63) : T(0);
  const double d = static_cast<double>(v);
  if (d <= static_cast<double>(Limits::min())) return Limits::min();
  if (d >= static_cast<double>(Limits::max())) return Limits::max();
  return static_cast<T>(d);
}
template <class To, class From>
To clamped(From v) {
  using Limits = std::numeric_limits<To>;
  const __int128 wide = v;
  if (wide < static_cast<__int128>(Limits::min())) return Limits::min();
  if (wide > static_cast<__int128>(Limits::max())) return Limits::max();
  return static_cast<To>(v);
}

// --- other threads -----------------------------------------------------------------------------
inline uint32_t lane() { return static_cast<uint32_t>(current->lane); }
inline void sync_warp(uint32_t mask, int line) { warp_operation(kWarpSync, mask, 0, 0, line); }
inline uint32_t ballot(uint32_t mask, bool predicate, int line) {
  return static_cast<uint32_t>(warp_operation(kBallot, mask, predicate, 0, line));
}
struct Moved {
  uint32_t value;
  bool in_range;
};
inline Moved shuffle(uint32_t v, uint32_t from, bool in_range, uint32_t mask, int line) {
  const int source = static_cast<int>(in_range ? from : lane());
  return {static_cast<uint32_t>(warp_operation(kShuffle, mask, v, source, line)), in_range};
}
// `c` holds the width of the segments of a warp that shuffle among themselves.
inline uint32_t segment_end(uint32_t c) { return (lane() & (c >> 8 & 31)) | (c & 31 & ~(c >> 8)); }
inline Moved shuffle_idx(uint32_t v, uint32_t b, uint32_t c, uint32_t mask, int line) {
  const uint32_t from = (lane() & (c >> 8 & 31)) | (b & 31 & ~(c >> 8));
  return shuffle(v, from, from <= segment_end(c), mask, line);
}
inline Moved shuffle_bfly(uint32_t v, uint32_t b, uint32_t c, uint32_t mask, int line) {
  const uint32_t from = lane() ^ b;
  return shuffle(v, from, from <= segment_end(c), mask, line);
}
inline Moved shuffle_down(uint32_t v, uint32_t b, uint32_t c, uint32_t mask, int line) {
  const uint32_t from = lane() + b;
  return shuffle(v, from, from <= segment_end(c), mask, line);
}
// ldmatrix: the row that this lane reads for all, and its part of up to four matrices.
inline MatrixStep matrices_at(MatrixKind kind, const void* row, int line) {
  if (reinterpret_cast<uintptr_t>(row) % 16 != 0)
    report("a row of a matrix is not aligned to 16 bytes (line %d)", line);
  MatrixStep step{};
  step.kind = kind;
  std::memcpy(step.row, row, sizeof step.row);
  matrix_step(step, line);
  return step;
}
inline Moved shuffle_up(uint32_t v, uint32_t b, uint32_t c, uint32_t mask, int line) {
  const auto from = static_cast<int>(lane()) - static_cast<int>(b);
  return shuffle(v, static_cast<uint32_t>(from), from >= static_cast<int>(segment_end(c)), mask,
                 line);
}

}  // namespace pt::emu::ptx

using namespace pt::emu::ptx;  // NOLINT: for the generated files alone
namespace emu = pt::emu;
