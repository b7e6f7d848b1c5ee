// Generator: the Mersenne Twister MT19937 with PyTorch's seeding, draw order and saved state, so
// that one seed gives the same numbers in both libraries and states can be exchanged. Generators of
// devices have a seed and a counter instead, from which kernels make their words (Philox).
//
// Used by the random ops and by Python's Generator. A plain value without a lock: whoever shares
// one between threads locks around a whole op. Method: M. Matsumoto and T. Nishimura, "Mersenne
// Twister: a 623-dimensionally equidistributed uniform pseudo-random number generator", 1998.
#pragma once

#include <cstdint>
#include <optional>

#include "core/device.h"

namespace pt {

class Generator {
 public:
  static constexpr uint64_t kDefaultSeed = 67280421310721u;  // of a Generator() never seeded
  static constexpr int kWords = 624;                         // words of one state block
  static constexpr int kLag = 397;
  static constexpr int64_t kStateBytes = 5056;  // of a saved state

  static constexpr int64_t kCounterStateBytes = 16;  // of a device's saved state

  explicit Generator(uint64_t seed = kDefaultSeed) { manual_seed(seed); }
  explicit Generator(Device device) : device_(device) { manual_seed(kDefaultSeed); }
  Device device() const { return device_; }

  void manual_seed(uint64_t seed);
  uint64_t seed();  // Reseeds from the system's entropy and returns the seed.
  uint64_t initial_seed() const { return seed_; }

  uint32_t next32() {
    if (position_ == kWords) next_block();
    return temper(state_[position_++]);
  }
  uint64_t next64() {  // two words, the first is the high half
    const uint64_t high = next32();
    return high << 32 | next32();
  }
  float next_float() { return static_cast<float>(next32() & 0xffffffu) * 0x1p-24f; }
  double next_double() { return static_cast<double>(next64() & ((1ull << 53) - 1)) * 0x1p-53; }
  void fill_u32(uint32_t* out, int64_t n);

  // Normal samples come in pairs; the second one waits here for the next call that draws singly.
  std::optional<double> take_cached_normal();
  void cache_normal(double value) { cached_normal_ = value; }

  // Of a device: the first of n counters that no one has used since the seeding.
  uint64_t take_counters(uint64_t n) {
    uint64_t& next = graph_words_ ? graph_counter_ : counter_;
    const uint64_t first = next;
    next += n;
    return first;
  }

  // While a graph is captured counters start at 0, and launches add what lies in `words` of the
  // device, {seed, counter}: core/device_graph.cpp writes there before each. end_graph() gives the
  // number of counters drawn.
  void begin_graph(uint64_t* words) {
    graph_words_ = words;
    graph_counter_ = 0;
  }
  uint64_t end_graph() {
    graph_words_ = nullptr;
    return graph_counter_;
  }
  const uint64_t* graph_words() const { return graph_words_; }

  int64_t state_bytes() const { return device_.is_cpu() ? kStateBytes : kCounterStateBytes; }
  // The saved state, byte for byte as torch.get_rng_state() has it. set_state raises on bytes
  // that are not a valid state and leaves the generator unchanged then.
  void get_state(uint8_t* out) const;
  void set_state(const uint8_t* bytes, int64_t size);

  // For bulk draws: the current block of untempered words, of which the first position() are
  // used up. The sequence goes on by x[i] = x[i - 227] ^ twist(x[i - 624], x[i - 623]).
  const uint32_t* block() const { return state_; }
  int position() const { return position_; }
  void skip_in_block(int words) { position_ += words; }  // at most kWords - position()
  void set_block(const uint32_t* words, int position);

  static uint32_t temper(uint32_t y) {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }

 private:
  void next_block();

  uint32_t state_[kWords];
  int position_;
  bool fresh_;  // seeded and not drawn from yet: saved states tell it from an exhausted block
  uint64_t seed_;
  uint64_t counter_ = 0, graph_counter_ = 0;
  const uint64_t* graph_words_ = nullptr;
  Device device_;
  std::optional<double> cached_normal_;
  std::optional<float> cached_float_normal_;  // never drawn on the CPU, kept for foreign states
};

// The generator that random ops use unless told otherwise; starts with a random seed.
Generator& default_generator();
// The one of a device; it starts with the seed that the cpu's has at its first use.
Generator& default_generator(Device device);
// `given`, or the default, of the device where the running call draws. RuntimeError if `given` is
// another device's.
Generator& generator_of_call(Generator* given);

}  // namespace pt
