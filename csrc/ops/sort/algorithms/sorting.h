// Sorting, selecting, searching and counting: what the sort ops call.
// Portable code on plain arrays; the argument structs with the exact meaning of each routine are
// in cpu/sort_args.h. Results never depend on the number of threads.
#pragma once

#include <vector>

#include "cpu/sort_args.h"
#include "ops/sort/algorithms/buffer.h"

namespace pt {

void sort_rows(const SortArgs& args);              // sort.cpp
void topk_rows(const TopkArgs& args);              // select.cpp
void select_rows(const SelectArgs& args);          // select.cpp
void search_sorted(const SearchSortedArgs& args);  // search.cpp

// out[i] = elements[i] is among the tests (is not, if `invert`). NaN is never found. (search.cpp)
void is_in(DType dtype, const void* elements, int64_t n, const void* tests, int64_t m, bool invert,
           bool* out);

// Groups of equal elements. Make a plan, allocate for count(), then write. (unique.cpp)
class UniquePlan {
 public:
  // Sorted unique elements; each NaN is its own group. Without `inverse` write() cannot give it.
  static UniquePlan sorted(DType dtype, const void* source, int64_t n, bool inverse);
  // Runs of equal neighbours.
  static UniquePlan consecutive(DType dtype, const void* source, int64_t n);
  // The same for the rows of a contiguous [n, width] array, ordered lexicographically.
  static UniquePlan sorted_rows(DType dtype, const void* source, int64_t n, int64_t width);
  static UniquePlan consecutive_rows(DType dtype, const void* source, int64_t n, int64_t width);

  int64_t count() const { return starts_.size(); }
  // values [count, width], inverse [n], counts [count]; any may be null.
  void write(void* values, int64_t* inverse, int64_t* counts) const;

 private:
  UniquePlan(const void* source, int64_t n, int64_t bytes)
      : source_(static_cast<const char*>(source)), n_(n), bytes_(bytes) {}
  int64_t item(int64_t position) const { return order_.get() ? order_[position] : position; }

  const char* source_;
  int64_t n_, bytes_;                // bytes of one element or row
  sorting::Buffer<char> sorted_;     // the elements in order, if they were sorted
  sorting::Buffer<int64_t> order_;   // where they came from; none: order of the input
  sorting::Buffer<int64_t> starts_;  // position of each group's first element in that order
};

// Counts per bin of equal width over [low, high]; others and NaN are not counted. `out` has the
// dtype of the source, which is floating. (histogram.cpp)
void histogram(DType dtype, const void* source, int64_t n, int64_t bins, double low, double high,
               void* out);
// Smallest and largest element of an integer array with n >= 1. (histogram.cpp)
void integer_range(DType dtype, const void* source, int64_t n, int64_t* low, int64_t* high);
// counts[v] = how often v occurs in an integer array with values in [0, bins). (histogram.cpp)
void bin_count(DType dtype, const void* source, int64_t n, int64_t bins, int64_t* counts);
// sums[v] += weights[i] for each i with source[i] == v, added in order. (histogram.cpp)
void bin_count_weighted(DType dtype, const void* source, int64_t n, int64_t bins,
                        const double* weights, double* sums);
void bin_count_weighted(DType dtype, const void* source, int64_t n, int64_t bins,
                        const float* weights, float* sums);

// Positions of the elements that are not zero in a contiguous array. (nonzero.cpp)
class NonzeroPlan {
 public:
  NonzeroPlan(DType dtype, const void* source, int64_t n);
  int64_t count() const { return offsets_.back(); }
  // Coordinate d of the k-th nonzero element goes to out[k * item_stride + d * dim_stride].
  void write(const int64_t* sizes, int dims, int64_t* out, int64_t item_stride,
             int64_t dim_stride) const;

 private:
  DType dtype_;
  const void* source_;
  int64_t n_;
  std::vector<int64_t> offsets_;  // nonzero elements before each chunk, then the total
};

}  // namespace pt
