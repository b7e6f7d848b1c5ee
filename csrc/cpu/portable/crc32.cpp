// CRC-32: with carry-less multiplication where the processor has it (folding, after Gopal et al.,
// "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009), else
// eight table look-ups for eight bytes (Kounavis and Berry 2005).
#include "cpu/portable/crc32.h"

#include <array>
#include <cstring>
#include <vector>

#include "core/parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pt {

namespace {

constexpr uint32_t kPolynomial = 0xEDB88320;

// tables[k][b]: the checksum of byte b followed by k zero bytes.
constexpr auto make_tables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t c = b;
    for (int i = 0; i < 8; ++i) c = c >> 1 ^ (c & 1 ? kPolynomial : 0);
    tables[0][b] = c;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t b = 0; b < 256; ++b) {
      const uint32_t c = tables[k - 1][b];
      tables[k][b] = c >> 8 ^ tables[0][c & 255];
    }
  }
  return tables;
}
constexpr auto kTables = make_tables();

// The functions below take and return the register: the complement of the checksum.
uint32_t by_tables(uint32_t c, const unsigned char* p, size_t n) {
  for (; n >= 8; p += 8, n -= 8) {
    uint32_t words[2];
    std::memcpy(words, p, 8);
    if constexpr (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) {
      for (uint32_t& w : words) w = __builtin_bswap32(w);
    }
    words[0] ^= c;
    c = 0;
    for (size_t w = 0; w < 2; ++w) {
      for (size_t i = 0; i < 4; ++i) c ^= kTables[7 - 4 * w - i][words[w] >> (8 * i) & 255];
    }
  }
  for (; n > 0; ++p, --n) c = c >> 8 ^ kTables[0][(c ^ *p) & 255];
  return c;
}

#if defined(__x86_64__)

// x^n mod P with its bits reflected, shifted left once as reflected products need it.
constexpr int64_t power(int n) {
  uint32_t c = 0x80000000;
  for (int i = 0; i < n; ++i) c = c >> 1 ^ (c & 1 ? kPolynomial : 0);
  return static_cast<int64_t>(c) << 1;
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i load(const unsigned char* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
// Moves x forward over the distance `k` was made for, and adds what lies there.
__attribute__((target("pclmul,sse4.1"))) inline __m128i fold(__m128i x, __m128i k, __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(x, k, 0x00), high = _mm_clmulepi64_si128(x, k, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

// n >= 64
__attribute__((target("pclmul,sse4.1"))) uint32_t by_folding(uint32_t c, const unsigned char* p,
                                                             size_t n) {
  const __m128i far = _mm_set_epi64x(power(4 * 128 - 32), power(4 * 128 + 32));
  const __m128i near = _mm_set_epi64x(power(128 - 32), power(128 + 32));
  __m128i x[4] = {load(p), load(p + 16), load(p + 32), load(p + 48)};
  x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128(static_cast<int>(c)));
  for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
    for (int i = 0; i < 4; ++i) x[i] = fold(x[i], far, load(p + 16 * i));
  }
  __m128i sum = x[0];
  for (int i = 1; i < 4; ++i) sum = fold(sum, near, x[i]);
  for (; n >= 16; p += 16, n -= 16) sum = fold(sum, near, load(p));
  alignas(16) unsigned char rest[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(rest), sum);
  return by_tables(by_tables(0, rest, 16), p, n);
}

bool can_fold() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

#endif

uint32_t crc32_of_slice(uint32_t crc, const unsigned char* p, size_t n) {
#if defined(__x86_64__)
  static const bool folds = can_fold();
  if (folds && n >= 64) return ~by_folding(~crc, p, n);
#endif
  return ~by_tables(~crc, p, n);
}

// The product of two polynomials mod P, bits reflected: the highest bit is the number 1.
uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (; a; a <<= 1) {
    if (a >> 31) product ^= b;
    b = b >> 1 ^ (b & 1 ? kPolynomial : 0);
  }
  return product;
}

// x^(8 n) mod P: what a checksum is multiplied by when n bytes follow.
uint32_t shift_of(size_t n) {
  uint32_t result = 1u << 31, square = 1u << (31 - 8);
  for (; n; n >>= 1, square = multiply(square, square)) {
    if (n & 1) result = multiply(result, square);
  }
  return result;
}

constexpr size_t kSlice = 256 << 10;

}  // namespace

uint32_t crc32(uint32_t crc, const void* data, size_t n) {
  const auto* p = static_cast<const unsigned char*>(data);
  if (n < 2 * kSlice) return crc32_of_slice(crc, p, n);
  std::vector<uint32_t> sums((n + kSlice - 1) / kSlice);
  parallel_for(0, static_cast<int64_t>(n), kSlice, [&](int64_t begin, int64_t end) {
    sums[static_cast<size_t>(begin) / kSlice] =
        crc32_of_slice(0, p + begin, static_cast<size_t>(end - begin));
  });
  const uint32_t whole = shift_of(kSlice), last = shift_of((n - 1) % kSlice + 1);
  for (const uint32_t& sum : sums) crc = multiply(crc, &sum == &sums.back() ? last : whole) ^ sum;
  return crc;
}

}  // namespace pt
