// Code by element size: data movement does not care what the bits mean.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"

namespace pt {

// Calls f with an unsigned integer of `item` bytes: 1, 2, 4 or 8.
template <class F>
decltype(auto) visit_item(size_t item, F&& f) {
  switch (item) {
    case 1:
      return f(uint8_t{});
    case 2:
      return f(uint16_t{});
    case 4:
      return f(uint32_t{});
    default:
      return f(uint64_t{});
  }
}

// The slot of a kernel table that serves elements of `item` bytes.
constexpr DType slot_of_item(size_t item) {
  return item == 1   ? DType::kUInt8
         : item == 2 ? DType::kInt16
         : item == 4 ? DType::kInt32
                     : DType::kInt64;
}

}  // namespace pt
