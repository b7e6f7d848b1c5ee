// Elements as unsigned keys whose order is the sort order: NaN largest, -0 equal to 0, reversed for
// a descending sort.
#pragma once

#include <type_traits>

#include "cuda/pt_cuda.h"

namespace pt::cuda {

// The unsigned type of an element's size: what moves elements does not ask for their type.
template <class T>
using BitsOf =
    std::conditional_t<sizeof(T) == 1, uint8_t,
                       std::conditional_t<sizeof(T) == 2, uint16_t,
                                          std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>>;

template <class T>
using SortKey = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
template <class Key>
inline constexpr Key kLastKey = static_cast<Key>(~Key{0});

template <class T>
PT_DEVICE SortKey<T> sort_key(T v, bool descending) {
  using Key = SortKey<T>;
  constexpr Key kSign = Key{1} << (8 * sizeof(Key) - 1);
  Key key = 0;
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    key = sort_key(static_cast<float>(v), false);
  } else if constexpr (std::is_floating_point_v<T>) {
    const Key bits = __builtin_bit_cast(Key, v);
    key = v != v ? kLastKey<Key> : v == T(0) ? kSign : bits & kSign ? ~bits : bits | kSign;
  } else if constexpr (std::is_signed_v<T>) {
    key = static_cast<Key>(static_cast<std::make_signed_t<Key>>(v)) ^ kSign;
  } else {
    key = static_cast<Key>(v);
  }
  return descending ? static_cast<Key>(~key) : key;
}

}  // namespace pt::cuda
