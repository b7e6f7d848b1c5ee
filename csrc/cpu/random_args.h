// Plain arguments of the random kernels; the only thing the random ops and the kernels share.
//
// Every kernel turns untempered Mersenne Twister words into values: `raw` points at the first
// word, element i takes words [i*w, i*w + w) with w words an element, `n` counts elements.
#pragma once

#include <cstdint>

namespace pt {

// "random_extend" (slot int32): x[-624..-1] are given, writes x[0..n) of the raw sequence.
using RandomExtendFn = void(uint32_t* x, int64_t n);

// "random_unit": out[i] in [0, 1) as double; slot float32: 24 bits of one word,
// slot float64: 53 bits of two words.
using RandomUnitFn = void(const uint32_t* raw, double* out, int64_t n);

// "uniform" (floating): from + u * (to - from), never `to`. One word, two for float64.
// "normal" (float32 and halves): Box-Muller over blocks of 16 words, of which the first eight
// give the radii and the last eight the angles; n is a multiple of 16.
struct RealArgs {
  const uint32_t* raw;
  void* out;
  int64_t n;
  double a;  // from, or mean
  double b;  // to, or standard deviation
};
using RealFn = void(const RealArgs&);

// "bernoulli" (all dtypes): 1 where the 53 bits of two words are below `threshold`, else 0.
struct BernoulliArgs {
  const uint32_t* raw;
  void* out;
  int64_t n;
  uint64_t threshold;  // ceil(p * 2^53)
};
using BernoulliFn = void(const BernoulliArgs&);

// "dropout" (floating): out = x * (kept ? 1 / keep : 0), kept as for bernoulli; `mask` (may be
// null) tells what was kept.
struct DropoutArgs {
  const uint32_t* raw;
  const void* x;
  void* out;
  bool* mask;
  int64_t n;
  uint64_t threshold;
  double keep;  // probability
};
using DropoutFn = void(const DropoutArgs&);

// "random_integers" (all dtypes): base + draw % range, from one word (range <= 2^32) or from two.
struct IntegersArgs {
  const uint32_t* raw;
  void* out;
  int64_t n;
  bool two_words;
  uint64_t range;  // 0 stands for 2^64
  int64_t base;
};
using IntegersFn = void(const IntegersArgs&);

}  // namespace pt
