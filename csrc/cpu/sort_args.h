// Plain arguments of the sorting and searching routines in ops/sort/algorithms.
// A problem is a set of rows of n elements; row (o, i) of an array starts at
// data + o * outer + i * inner and its elements are `step` apart, all in elements, so that sorting
// a contiguous tensor along any dimension needs no copy.
#pragma once

#include <cstdint>

#include "core/dtype.h"

namespace pt {

struct RowStrides {
  int64_t outer = 0, inner = 0, step = 1;
};

struct RowArray {
  void* data = nullptr;
  RowStrides strides;
};

struct ConstRowArray {
  const void* data = nullptr;
  RowStrides strides;
};

// Sorts each row. Always stable: equal elements keep their order. NaN counts as the largest value
// and -0 equals 0. Outputs must not overlap the input; either may be null.
struct SortArgs {
  DType dtype = DType::kFloat32;
  int64_t outer = 1, inner = 1, n = 0;
  ConstRowArray source;
  RowArray values;   // dtype
  RowArray indices;  // int64
  bool descending = false;
};

// The k first elements of each row in the order of a sort (descending if `largest`). Among equal
// elements those with the lowest index are taken. Unless `sorted` their order is unspecified, but
// always the same for the same input.
struct TopkArgs {
  DType dtype = DType::kFloat32;
  int64_t outer = 1, inner = 1, n = 0, k = 0;
  ConstRowArray source;
  RowArray values, indices;  // rows of k
  bool largest = true, sorted = true;
};

// One element of each row; outputs are rows of one element. n must be at least 1.
enum class SelectKind : uint8_t {
  kKth,        // the k-th smallest, k counted from 1, with its index in a stable sort
  kMedian,     // the lower median; the first NaN if there is any
  kNanMedian,  // the lower median of what is not NaN
  kMode,       // the most frequent value, the smallest of several, and its last index
};
struct SelectArgs {
  DType dtype = DType::kFloat32;
  int64_t outer = 1, inner = 1, n = 0;
  SelectKind kind = SelectKind::kKth;
  int64_t k = 1;  // only for kKth
  ConstRowArray source;
  RowArray values, indices;
};

// Where each value would be inserted to keep its row of boundaries sorted: before equal ones, or
// after them if `right`. Contiguous arrays.
struct SearchSortedArgs {
  DType dtype = DType::kFloat32;  // of boundaries and values
  int64_t rows = 1, n = 0, m = 0;
  const void* boundaries = nullptr;  // [rows, n], or [n] for all rows if `shared`
  const int64_t* sorter = nullptr;   // optional permutation that sorts each row of boundaries
  const void* values = nullptr;      // [rows, m]
  bool shared = false, right = false;
  void* out = nullptr;  // [rows, m], int64, or int32 if `out_int32`
  bool out_int32 = false;
};

}  // namespace pt
