// Elements as unsigned keys whose order is the sort order: NaN largest, -0 equal to 0, reversed
// for a descending sort. Internal to ops/sort/algorithms.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "core/dtype.h"

namespace pt::sorting {

template <size_t kBytes>
using UnsignedOf = std::conditional_t<
    kBytes == 1, uint8_t,
    std::conditional_t<kBytes == 2, uint16_t, std::conditional_t<kBytes == 4, uint32_t, uint64_t>>>;

template <class T>
inline constexpr bool kIsFloating = is_floating(dtype_of<T>);

template <class T>
struct SortKey {
  using Key = UnsignedOf<sizeof(T)>;
  static constexpr Key kSign = static_cast<Key>(Key{1} << (8 * sizeof(T) - 1));
  static constexpr Key kAll = static_cast<Key>(~Key{0});
  // The bits of positive infinity; more is NaN once the sign is gone.
  static constexpr Key kInfinity = static_cast<Key>(std::is_same_v<T, double>  ? 0x7ff0000000000000u
                                                    : std::is_same_v<T, float> ? 0x7f800000u
                                                    : std::is_same_v<T, BFloat16> ? 0x7f80u
                                                                                  : 0x7c00u);

  // `flip` is kAll for a descending order, else 0.
  static Key encode(T value, Key flip) {
    if constexpr (kIsFloating<T>) {
      const Key bits = std::bit_cast<Key>(value);
      const Key magnitude = static_cast<Key>(bits & ~kSign);
      const Key ordered = static_cast<Key>(bits & kSign ? ~bits : bits | kSign);
      const Key zero_merged = magnitude == 0 ? kSign : ordered;
      return static_cast<Key>((magnitude > kInfinity ? kAll : zero_merged) ^ flip);
    } else if constexpr (is_signed(dtype_of<T>)) {
      return static_cast<Key>(std::bit_cast<Key>(value) ^ kSign ^ flip);
    } else {
      return static_cast<Key>(static_cast<Key>(value) ^ flip);
    }
  }

  // Zeros and NaNs share a key with others of their kind: their bits must be read again.
  static bool is_ambiguous(Key key, Key flip) {
    if constexpr (kIsFloating<T>) {
      key ^= flip;
      return key == kSign || key == kAll;
    } else {
      return false;
    }
  }
  static bool is_nan(Key key, Key flip) {
    if constexpr (kIsFloating<T>) {
      return static_cast<Key>(key ^ flip) == kAll;
    } else {
      return false;
    }
  }

  static T decode(Key key, Key flip) {
    key ^= flip;
    if constexpr (kIsFloating<T>) {
      return std::bit_cast<T>(static_cast<Key>(key & kSign ? key & ~kSign : ~key));
    } else if constexpr (is_signed(dtype_of<T>)) {
      return std::bit_cast<T>(static_cast<Key>(key ^ kSign));
    } else {
      return static_cast<T>(key);
    }
  }
};

// A key with the position it came from. Entries are totally ordered by (key, index), so that any
// correct sort of them is a stable sort of the elements.
struct PackedEntry {
  uint64_t bits;  // key in the upper half, index in the lower

  static constexpr int64_t kMaxCount = int64_t{1} << 32;
  static PackedEntry make(uint64_t key, int64_t index) {
    return {key << 32 | static_cast<uint64_t>(index)};
  }
  static PackedEntry last() { return {~uint64_t{0}}; }
  uint64_t key() const { return bits >> 32; }
  int64_t index() const { return static_cast<int64_t>(bits & 0xffffffffu); }
  unsigned digit(int byte) const { return bits >> (32 + 8 * byte) & 0xffu; }
  friend bool operator<(PackedEntry a, PackedEntry b) { return a.bits < b.bits; }
};

struct WideEntry {
  uint64_t key_bits;
  uint64_t position;

  static WideEntry make(uint64_t key, int64_t index) { return {key, static_cast<uint64_t>(index)}; }
  static WideEntry last() { return {~uint64_t{0}, ~uint64_t{0}}; }
  uint64_t key() const { return key_bits; }
  int64_t index() const { return static_cast<int64_t>(position); }
  unsigned digit(int byte) const { return key_bits >> (8 * byte) & 0xffu; }
  friend bool operator<(WideEntry a, WideEntry b) {
    return (a.key_bits < b.key_bits) |
           ((a.key_bits == b.key_bits) & (a.position < b.position));  // no branches
  }
};

// Calls f(Entry{}) with the entry type for elements of type T in rows of n.
template <class T, class F>
void with_entry(int64_t n, F&& f) {
  if constexpr (sizeof(T) <= 4) {
    if (n < PackedEntry::kMaxCount) return f(PackedEntry{});
  }
  f(WideEntry{});
}

}  // namespace pt::sorting
