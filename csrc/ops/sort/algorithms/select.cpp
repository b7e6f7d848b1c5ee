// Taking part of a sorted row without sorting it: topk, kthvalue, median, mode.
// topk scans a row once, collecting candidates that beat the k-th best so far (the candidates are
// cut back to k whenever their buffer fills). Single elements of long rows are found digit by
// digit from histograms, in parallel; those of short rows by quickselect on (key, index) entries.
#include <algorithm>

#include "ops/sort/algorithms/entry_sort.h"
#include "ops/sort/algorithms/sorting.h"

namespace pt {
namespace {

using namespace sorting;

constexpr int64_t kLongRow = 1 << 17;
constexpr int64_t kWorkPerTask = 1 << 14;

// A row with typed, strided access.
template <class T>
struct Row {
  T* data;
  int64_t step;

  T& operator[](int64_t i) const { return data[i * step]; }
};

template <class T>
Row<const T> source_row(const ConstRowArray& a, int64_t o, int64_t i) {
  const int64_t offset = o * a.strides.outer + i * a.strides.inner;
  return {static_cast<const T*>(a.data) + offset, a.strides.step};
}
template <class T>
Row<T> output_row(const RowArray& a, int64_t o, int64_t i) {
  const int64_t offset = o * a.strides.outer + i * a.strides.inner;
  return {static_cast<T*>(a.data) + offset, a.strides.step};
}

// Calls f(o, i) for each row: in parallel over short rows, in order over long ones, which are
// parallel inside.
template <class F>
void for_each_row(int64_t outer, int64_t inner, int64_t n, F&& f) {
  const int64_t rows = outer * inner;
  const int64_t grain =
      n >= kLongRow ? rows : std::max<int64_t>(1, kWorkPerTask / std::max<int64_t>(n, 1));
  parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) f(r / inner, r % inner);
  });
}

// Leaves the min(k, end - begin) smallest entries of the range at the front of `best`, in any
// order, and returns how many; `best` has room for `capacity` > k entries.
template <class E, class T>
int64_t smallest(const Row<const T>& row, int64_t begin, int64_t end, int64_t k, uint64_t flip,
                 E* best, int64_t capacity) {
  using Key = typename SortKey<T>::Key;
  const Key flip_key = static_cast<Key>(flip);
  int64_t count = std::min(capacity, end - begin);
  int64_t next = begin + count;
  for (int64_t i = 0; i < count; ++i) {
    best[i] = E::make(SortKey<T>::encode(row[begin + i], flip_key), begin + i);
  }
  if (count <= k) return count;
  auto cut = [&] {
    std::nth_element(best, best + k - 1, best + count);
    count = k;
    return best[k - 1].key();
  };
  uint64_t bound = cut();  // an equal key that comes later loses
  for (; next < end; ++next) {
    const uint64_t key = SortKey<T>::encode(row[next], flip_key);
    if (key >= bound) continue;
    best[count++] = E::make(key, next);
    if (count == capacity) bound = cut();
  }
  if (count > k) cut();
  return k;
}

template <class E, class T>
void topk_row(const TopkArgs& args, const Row<const T>& row, int64_t o, int64_t i) {
  constexpr int64_t kBlock = 1 << 16;
  const int64_t n = args.n, k = args.k;
  const uint64_t flip = args.largest ? ~uint64_t{0} : 0;
  const int64_t capacity = std::max<int64_t>(2 * k, 256);
  const int64_t blocks = n >= kLongRow && capacity <= kBlock / 4 ? (n + kBlock - 1) / kBlock : 1;
  const int64_t block = blocks == 1 ? n : kBlock;
  Buffer<E> best(blocks * capacity);
  if (blocks == 1) {
    smallest<E, T>(row, 0, n, k, flip, best.get(), capacity);
  } else {
    // Each block's k best, closed up, then the k best of those.
    Buffer<int64_t> counts(blocks);
    parallel_for(0, n, block, [&](int64_t begin, int64_t end) {
      const int64_t b = begin / block;
      counts[b] = smallest<E, T>(row, begin, end, k, flip, best.get() + b * capacity, capacity);
    });
    int64_t total = counts[0];
    for (int64_t b = 1; b < blocks; ++b) {
      const E* from = best.get() + b * capacity;
      std::copy(from, from + counts[b], best.get() + total);
      total += counts[b];
    }
    std::nth_element(best.get(), best.get() + k - 1, best.get() + total);
  }
  if (args.sorted) std::sort(best.get(), best.get() + k);
  const Row<T> values = output_row<T>(args.values, o, i);
  const Row<int64_t> indices = output_row<int64_t>(args.indices, o, i);
  for (int64_t j = 0; j < k; ++j) {
    const int64_t index = best[j].index();
    indices[j] = index;
    values[j] = row[index];
  }
}

// A k near the length of a long row: sort it, in parallel, and keep the front.
template <class T>
void topk_by_sort(const TopkArgs& args, const Row<const T>& row, int64_t o, int64_t i) {
  Buffer<int64_t> order(args.n);
  SortArgs sort;
  sort.dtype = args.dtype, sort.n = args.n, sort.descending = args.largest;
  sort.source = {row.data, {0, 0, row.step}};
  sort.indices = {order.get(), {0, 0, 1}};
  sort_rows(sort);
  const Row<T> values = output_row<T>(args.values, o, i);
  const Row<int64_t> indices = output_row<int64_t>(args.indices, o, i);
  parallel_for(0, args.k, kWorkPerTask, [&](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; ++j) {
      indices[j] = order[j];
      values[j] = row[order[j]];
    }
  });
}

// The index that the element of rank `rank` has in a stable ascending sort of the row.
template <class T>
int64_t rank_in_long_row(const Row<const T>& row, int64_t n, int64_t rank) {
  using Key = typename SortKey<T>::Key;
  using Counts = int64_t[256];
  const int64_t block = block_size(n), blocks = (n + block - 1) / block;
  Buffer<Counts> counts(blocks);
  Key known = 0, mask = 0;  // the digits found so far, from the top
  for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8) {
    parallel_for(0, n, block, [&](int64_t begin, int64_t end) {
      int64_t* own = counts[begin / block];
      std::fill(own, own + 256, 0);
      for (int64_t i = begin; i < end; ++i) {
        const Key key = SortKey<T>::encode(row[i], 0);
        if ((key & mask) == known) ++own[key >> shift & 0xff];
      }
    });
    for (int digit = 0; digit < 256; ++digit) {
      int64_t here = 0;
      for (int64_t b = 0; b < blocks; ++b) here += counts[b][digit];
      if (rank < here) {
        known = static_cast<Key>(known | static_cast<Key>(digit) << shift);
        break;
      }
      rank -= here;
    }
    mask = static_cast<Key>(mask | Key{0xff} << shift);
  }
  for (int64_t i = 0; i < n; ++i) {
    if (SortKey<T>::encode(row[i], 0) == known && rank-- == 0) return i;
  }
  __builtin_unreachable();
}

template <class E, class T>
int64_t rank_in_row(const Row<const T>& row, int64_t n, int64_t rank) {
  if (n >= kLongRow) return rank_in_long_row(row, n, rank);
  Buffer<E> entries(n);
  for (int64_t i = 0; i < n; ++i) entries[i] = E::make(SortKey<T>::encode(row[i], 0), i);
  std::nth_element(entries.get(), entries.get() + rank, entries.get() + n);
  return entries[rank].index();
}

template <class T>
bool is_nan(T value) {
  return SortKey<T>::is_nan(SortKey<T>::encode(value, 0), 0);
}

template <class E, class T>
int64_t median_of_row(const Row<const T>& row, int64_t n, bool ignore_nan) {
  int64_t nans = 0;
  if constexpr (kIsFloating<T>) {
    for (int64_t i = 0; i < n; ++i) {
      if (!is_nan(row[i])) continue;
      if (!ignore_nan) return i;
      ++nans;
    }
  }
  return rank_in_row<E, T>(row, n, nans == n ? 0 : (n - nans - 1) / 2);
}

template <class E, class T>
int64_t mode_of_row(const Row<const T>& row, int64_t n) {
  Buffer<E> entries(n), spare(n);
  for (int64_t i = 0; i < n; ++i) entries[i] = E::make(SortKey<T>::encode(row[i], 0), i);
  if (n >= kParallelFrom) {
    Buffer<E> sorted(n);
    radix_sort_parallel<E>(
        n, sizeof(T), spare.get(), [&](int64_t i) { return entries[i]; },
        [&](int64_t position, E e) { sorted[position] = e; });
    std::copy(sorted.get(), sorted.get() + n, entries.get());
  } else {
    sort_entries(entries.get(), spare.get(), n, sizeof(T));
  }
  int64_t best = 0, best_count = 0, count = 0;
  for (int64_t i = 0; i < n; ++i) {
    ++count;
    const auto key = static_cast<typename SortKey<T>::Key>(entries[i].key());
    const bool run_goes_on =
        i + 1 < n && entries[i + 1].key() == key && !SortKey<T>::is_nan(key, 0);
    if (run_goes_on) continue;
    if (count > best_count) {
      best_count = count;
      best = entries[i].index();
    }
    count = 0;
  }
  return best;
}

}  // namespace

void topk_rows(const TopkArgs& args) {
  if (args.k == 0) return;
  visit_dtype(args.dtype, [&]<class T>(T) {
    for_each_row(args.outer, args.inner, args.n, [&](int64_t o, int64_t i) {
      const Row<const T> row = source_row<T>(args.source, o, i);
      if (args.n >= kLongRow && args.k > args.n / 32) return topk_by_sort<T>(args, row, o, i);
      with_entry<T>(args.n, [&]<class E>(E) { topk_row<E, T>(args, row, o, i); });
    });
  });
}

void select_rows(const SelectArgs& args) {
  visit_dtype(args.dtype, [&]<class T>(T) {
    for_each_row(args.outer, args.inner, args.n, [&](int64_t o, int64_t i) {
      const Row<const T> row = source_row<T>(args.source, o, i);
      with_entry<T>(args.n, [&]<class E>(E) {
        int64_t index = 0;
        switch (args.kind) {
          case SelectKind::kKth:
            index = rank_in_row<E, T>(row, args.n, args.k - 1);
            break;
          case SelectKind::kMedian:
            index = median_of_row<E, T>(row, args.n, false);
            break;
          case SelectKind::kNanMedian:
            index = median_of_row<E, T>(row, args.n, true);
            break;
          case SelectKind::kMode:
            index = mode_of_row<E, T>(row, args.n);
            break;
        }
        if (args.values.data) output_row<T>(args.values, o, i)[0] = row[index];
        if (args.indices.data) output_row<int64_t>(args.indices, o, i)[0] = index;
      });
    });
  });
}

}  // namespace pt
