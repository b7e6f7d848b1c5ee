// Philox4x32-10: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2,
// 3", 2011. And what is made of its words.
#pragma once

#include "cuda/args/random_args.h"
#include "cuda/pt_cuda.h"

namespace pt::cuda {

struct Words {
  uint32_t w[4];
};

// `turn` numbers the words that one counter gives when one set is not enough.
PT_DEVICE Words philox(uint64_t seed, uint64_t counter, uint32_t turn = 0) {
  uint32_t c0 = static_cast<uint32_t>(counter), c1 = static_cast<uint32_t>(counter >> 32);
  uint32_t c2 = turn, c3 = 0;
  uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
  PT_UNROLL
  for (int round = 0; round < 10; ++round) {
    const uint32_t high0 = __umulhi(0xd2511f53u, c0), low0 = 0xd2511f53u * c0;
    const uint32_t high1 = __umulhi(0xcd9e8d57u, c2), low1 = 0xcd9e8d57u * c2;
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  return {{c0, c1, c2, c3}};
}

PT_DEVICE uint64_t joined(uint32_t high, uint32_t low) {
  return static_cast<uint64_t>(high) << 32 | low;
}

PT_DEVICE DrawKey resolved(DrawKey key) {
  if (!key.words) return key;
  return {key.words[0], key.words[1] + key.counter, nullptr};
}

// Numbers of one type from words, kWords each: unit() in [0, 1), open() in (0, 1).
template <class V>
struct Draw;
template <>
struct Draw<float> {
  static constexpr int kWords = 1;
  PT_DEVICE static float unit(const Words& w, int k) {
    return static_cast<float>(w.w[k] >> 8) * 0x1p-24f;
  }
  PT_DEVICE static float open(const Words& w, int k) {
    return (static_cast<float>(w.w[k] >> 9) + 0.5f) * 0x1p-23f;
  }
};
template <>
struct Draw<double> {
  static constexpr int kWords = 2;
  PT_DEVICE static double unit(const Words& w, int k) {
    return static_cast<double>(joined(w.w[2 * k], w.w[2 * k + 1]) >> 11) * 0x1p-53;
  }
  PT_DEVICE static double open(const Words& w, int k) {
    return (static_cast<double>(joined(w.w[2 * k], w.w[2 * k + 1]) >> 12) + 0.5) * 0x1p-52;
  }
};

}  // namespace pt::cuda
