// Binary search in sorted boundaries, and membership tests.
#include <algorithm>

#include "ops/sort/algorithms/entry_sort.h"
#include "ops/sort/algorithms/sorting.h"

namespace pt {
namespace {

using namespace sorting;

constexpr int64_t kSearchesPerTask = 2048;

// Values compare as numbers, so a NaN is greater than every boundary.
template <class T>
auto comparable(T v) {
  if constexpr (is_half(dtype_of<T>)) {
    return static_cast<float>(v);
  } else {
    return v;
  }
}

// The first position whose boundary does not come before `value`, without branches on data.
template <bool kRight, class T, class At>
int64_t insert_position(int64_t n, T value, At&& at) {
  int64_t first = 0;
  while (n > 0) {
    const int64_t half = n / 2;
    const auto boundary = at(first + half);
    const bool before = kRight ? !(boundary > value) : !(boundary >= value);
    first = before ? first + half + 1 : first;
    n = before ? n - half - 1 : half;
  }
  return first;
}

template <class T, class Out, bool kRight>
void search_all(const SearchSortedArgs& args) {
  const T* boundaries = static_cast<const T*>(args.boundaries);
  const T* values = static_cast<const T*>(args.values);
  Out* out = static_cast<Out*>(args.out);
  parallel_for(0, args.rows * args.m, kSearchesPerTask, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t start = args.shared ? 0 : i / args.m * args.n;
      const T* row = boundaries + start;
      const auto value = comparable(values[i]);
      const int64_t position =
          args.sorter
              ? insert_position<kRight>(args.n, value,
                                        [&](int64_t p) {
                                          return comparable(row[args.sorter[start + p]]);
                                        })
              : insert_position<kRight>(args.n, value,
                                        [&](int64_t p) { return comparable(row[p]); });
      out[i] = static_cast<Out>(position);
    }
  });
}

template <class T>
void is_in_few(const T* elements, int64_t n, const T* tests, int64_t m, bool invert, bool* out) {
  parallel_for(0, n, int64_t{1} << 15, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) out[i] = invert;
    for (int64_t k = 0; k < m; ++k) {
      const auto test = comparable(tests[k]);
      for (int64_t i = begin; i < end; ++i) {
        out[i] = comparable(elements[i]) == test ? !invert : out[i];
      }
    }
  });
}

template <class T>
void is_in_many(const T* elements, int64_t n, const T* tests, int64_t m, bool invert, bool* out) {
  using Key = typename SortKey<T>::Key;
  Buffer<T> ordered(m);
  Buffer<Key> keys(m);
  SortArgs args;
  args.dtype = dtype_of<T>, args.n = m;
  args.source = {tests, {}};
  args.values = {ordered.get(), {}};
  sort_rows(args);
  for (int64_t i = 0; i < m; ++i) keys[i] = SortKey<T>::encode(ordered[i], 0);
  parallel_for(0, n, kSearchesPerTask, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Key key = SortKey<T>::encode(elements[i], 0);
      const int64_t p =
          insert_position<false>(m, key, [&](int64_t position) { return keys[position]; });
      const bool found = p < m && keys[p] == key && !SortKey<T>::is_nan(key, 0);
      out[i] = found != invert;
    }
  });
}

}  // namespace

void search_sorted(const SearchSortedArgs& args) {
  visit_dtype(args.dtype, [&]<class T>(T) {
    if (args.out_int32) {
      args.right ? search_all<T, int32_t, true>(args) : search_all<T, int32_t, false>(args);
    } else {
      args.right ? search_all<T, int64_t, true>(args) : search_all<T, int64_t, false>(args);
    }
  });
}

void is_in(DType dtype, const void* elements, int64_t n, const void* tests, int64_t m, bool invert,
           bool* out) {
  constexpr int64_t kFew = 12;
  visit_dtype(dtype, [&]<class T>(T) {
    const T* e = static_cast<const T*>(elements);
    const T* t = static_cast<const T*>(tests);
    m <= kFew ? is_in_few(e, n, t, m, invert, out) : is_in_many(e, n, t, m, invert, out);
  });
}

}  // namespace pt
