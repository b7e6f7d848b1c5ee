// Binary search in sorted boundaries, and membership tests by comparison, table or search.
#include <algorithm>

#include "cpu/kernel_table.h"
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

// The first positions whose boundary does not come before a value, for kLanes values in step with
// each other: the number of steps depends on n alone, so that their memory accesses overlap.
constexpr int kLanes = 8;

template <bool kRight, class V, class At>
void insert_positions(int64_t n, const V* values, int lanes, At&& at, int64_t* first) {
  const auto before = [](auto boundary, V value) -> int64_t {
    return kRight ? !(boundary > value) : !(boundary >= value);
  };
  for (int w = 0; w < lanes; ++w) first[w] = 0;
  if (n == 0) return;
  for (; n > 1; n -= n / 2) {
    const int64_t half = n / 2;
    for (int w = 0; w < lanes; ++w) {
      first[w] += half & -before(at(w, first[w] + half - 1), values[w]);
    }
  }
  for (int w = 0; w < lanes; ++w) first[w] += before(at(w, first[w]), values[w]);
}

// Calls insert_positions for `count` values in groups, then emit(i, position).
template <bool kRight, class Value, class At, class Emit>
void search_range(int64_t n, int64_t begin, int64_t end, Value&& value, At&& at, Emit&& emit) {
  int64_t first[kLanes];
  decltype(value(begin)) values[kLanes];
  for (int64_t i = begin; i < end; i += kLanes) {
    const int lanes = static_cast<int>(std::min<int64_t>(kLanes, end - i));
    for (int w = 0; w < lanes; ++w) values[w] = value(i + w);
    const auto lane_at = [&](int w, int64_t p) { return at(i + w, p); };
    // A constant count lets the compiler unroll the common case.
    if (lanes == kLanes) {
      insert_positions<kRight>(n, values, kLanes, lane_at, first);
    } else {
      insert_positions<kRight>(n, values, lanes, lane_at, first);
    }
    for (int w = 0; w < lanes; ++w) emit(i + w, first[w]);
  }
}

template <class T, class Out, bool kRight>
void search_all(const SearchSortedArgs& args) {
  const T* boundaries = static_cast<const T*>(args.boundaries);
  const T* values = static_cast<const T*>(args.values);
  Out* out = static_cast<Out*>(args.out);
  const int64_t* sorter = args.sorter;
  const int64_t n = args.n, m = args.m;
  const auto value = [&](int64_t i) { return comparable(values[i]); };
  const auto emit = [&](int64_t i, int64_t position) { out[i] = static_cast<Out>(position); };
  parallel_for(0, args.rows * m, kSearchesPerTask, [&](int64_t begin, int64_t end) {
    if (args.shared && !sorter) {
      const auto at = [&](int64_t, int64_t p) { return comparable(boundaries[p]); };
      return search_range<kRight>(n, begin, end, value, at, emit);
    }
    const auto at = [&](int64_t i, int64_t p) {
      const int64_t start = args.shared ? 0 : i / m * n;
      return comparable(boundaries[start + (sorter ? sorter[start + p] : p)]);
    };
    search_range<kRight>(n, begin, end, value, at, emit);
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
  const auto value = [&](int64_t i) { return SortKey<T>::encode(elements[i], 0); };
  const auto at = [&](int64_t, int64_t p) { return keys[p]; };
  const auto emit = [&](int64_t i, int64_t p) {
    const Key key = value(i);
    const bool found = p < m && keys[p] == key && !SortKey<T>::is_nan(key, 0);
    out[i] = found != invert;
  };
  parallel_for(0, n, kSearchesPerTask, [&](int64_t begin, int64_t end) {
    search_range<false>(m, begin, end, value, at, emit);
  });
}

// Integers that span a moderate range: one table of flags.
template <class T>
bool is_in_table(const T* elements, int64_t n, const T* tests, int64_t m, bool invert, bool* out) {
  const auto [low, high] = std::minmax_element(tests, tests + m);
  const uint64_t first = static_cast<uint64_t>(*low);
  const uint64_t span = static_cast<uint64_t>(*high) - first;
  if (span >= static_cast<uint64_t>(4 * (n + m))) return false;
  std::vector<bool> present(span + 1);
  for (int64_t k = 0; k < m; ++k) present[static_cast<uint64_t>(tests[k]) - first] = true;
  parallel_for(0, n, kSearchesPerTask, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const uint64_t offset = static_cast<uint64_t>(elements[i]) - first;
      out[i] = (offset <= span && present[offset]) != invert;
    }
  });
  return true;
}

}  // namespace

void search_sorted(const SearchSortedArgs& args) {
  if (call_on_device) {
    static const Kernel<void(const SearchSortedArgs&)> kernel{"search_sorted"};
    return kernel.get(args.dtype)(args);
  }
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
    if (m <= kFew) return is_in_few(e, n, t, m, invert, out);
    if constexpr (!is_floating(dtype_of<T>)) {
      if (is_in_table(e, n, t, m, invert, out)) return;
    }
    is_in_many(e, n, t, m, invert, out);
  });
}

}  // namespace pt
