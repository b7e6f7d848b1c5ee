// How a device draws random numbers: from Philox4x32-10, a function of a key (the generator's seed)
// and a counter, so that every element has numbers of its own whatever thread makes it.
#pragma once

#include <cstdint>

namespace pt {

enum class RandomKind : uint8_t {
  kUniform,      // [a, b)
  kNormal,       // mean a, standard deviation b
  kExponential,  // rate a
  kCauchy,       // median a, scale b
  kGeometric,    // probability a
  kBernoulli,    // 1 with probability a, or with that of the element
  kIntegers,     // base + draw % range
};

// The key of a draw and its first counter. While a graph is captured a generator gives no seed: its
// launches put {seed, counter} into memory of the device, and `counter` counts from there.
struct DrawKey {
  uint64_t seed = 0, counter = 0;
  const uint64_t* words = nullptr;
};

// Fills n elements: a counter gives four words, for two elements where two_words, else for four.
// Name "device_random", slot of the dtype; integers have kinds from kGeometric on.
struct DeviceRandom {
  RandomKind kind = RandomKind::kUniform;
  bool two_words = false;
  void* out = nullptr;
  int64_t n = 0;
  DrawKey key = {};
  double a = 0, b = 0;
  const double* probabilities = nullptr;
  uint64_t range = 0;  // 0 stands for 2^64
  int64_t base = 0;
};
using DeviceRandomFn = void(const DeviceRandom&);

// out = x * (kept ? 1 / keep : 0). Name "device_dropout", floating slots.
struct DeviceDropout {
  const void* x = nullptr;  // null: ones
  void* out = nullptr;
  bool* mask = nullptr;  // may be null
  int64_t n = 0;
  DrawKey key = {};
  double keep = 1;
};
using DeviceDropoutFn = void(const DeviceDropout&);

enum class RejectionKind : uint8_t {
  kPoisson,   // rate a
  kBinomial,  // a trials of probability b
  kGamma,     // shape a, at least the smallest normal number
};
// One sample for each of n elements, with a counter each. Name "device_rejection", float and
// double.
struct DeviceRejection {
  RejectionKind kind = RejectionKind::kPoisson;
  const void *a = nullptr, *b = nullptr;
  void* out = nullptr;
  int64_t n = 0;
  DrawKey key = {};
};
using DeviceRejectionFn = void(const DeviceRejection&);

// out = ops/functors/reparameter.h's gamma_slope(a, b), or, with c, beta_slope(b, c - b, a). Name
// "device_sample_slope", float and double.
struct DeviceSampleSlope {
  const void *a = nullptr, *b = nullptr, *c = nullptr;
  void* out = nullptr;
  int64_t n = 0;
};
using DeviceSampleSlopeFn = void(const DeviceSampleSlope&);

}  // namespace pt
