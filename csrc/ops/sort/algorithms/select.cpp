// Taking part of a sorted row without sorting it: topk, kthvalue, median, mode.
// topk scans a row once, collecting candidates that beat the k-th best so far (the candidates are
// cut back to k whenever their buffer fills). Single elements of long rows are found by means of a
// histogram, in parallel; those of short rows by quickselect on (key, index) entries.
#include <algorithm>
#include <cstring>

#include "cpu/kernel_table.h"
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

// The k smallest entries (by key, then index) of what is offered to it.
template <class E>
class Best {
 public:
  // `entries` has room for `capacity` > k entries.
  Best(E* entries, int64_t k, int64_t capacity) : entries_(entries), k_(k), capacity_(capacity) {}

  uint64_t bound() const { return bound_; }  // keys from here on are not wanted
  bool has_bound() const { return has_bound_; }
  void set_bound(uint64_t bound) {
    bound_ = bound;
    has_bound_ = true;
  }
  void offer(uint64_t key, int64_t index) {
    if (has_bound_ && key >= bound_) return;  // an equal key that comes later loses
    entries_[count_++] = E::make(key, index);
    if (count_ == capacity_) cut();
  }
  // Leaves the smallest at the front, in any order, and returns how many.
  int64_t finish() {
    if (count_ > k_) cut();
    return count_;
  }

 private:
  void cut() {
    std::nth_element(entries_, entries_ + k_ - 1, entries_ + count_);
    count_ = k_;
    set_bound(entries_[k_ - 1].key());
  }

  E* entries_;
  int64_t k_, capacity_, count_ = 0;
  uint64_t bound_ = 0;
  bool has_bound_ = false;
};

// Offers elements [begin, end) to `best`, skipping whole groups in which nothing beats the bound.
template <class E, class T>
void offer_range(const Row<const T>& row, int64_t begin, int64_t end, typename SortKey<T>::Key flip,
                 Best<E>& best) {
  constexpr int64_t kGroup = 32;
  using Key = typename SortKey<T>::Key;
  int64_t i = begin;
  for (; i < end && !best.has_bound(); ++i) best.offer(SortKey<T>::encode(row[i], flip), i);
  for (; row.step == 1 && i + kGroup <= end; i += kGroup) {
    const T* group = row.data + i;
    const Key bound = static_cast<Key>(best.bound());
    int wanted = 0;
    if constexpr (is_half(dtype_of<T>)) {
      for (int64_t k = 0; k < kGroup; ++k) wanted |= SortKey<T>::encode(group[k], flip) < bound;
    } else {
      // Compared as values, which is cheaper; a NaN on either side only means a closer look.
      const T limit = SortKey<T>::decode(bound, flip);
      if (flip) {
        for (int64_t k = 0; k < kGroup; ++k) wanted |= !(group[k] <= limit);
      } else {
        for (int64_t k = 0; k < kGroup; ++k) wanted |= !(group[k] >= limit);
      }
    }
    if (!wanted) continue;
    for (int64_t k = 0; k < kGroup; ++k) best.offer(SortKey<T>::encode(group[k], flip), i + k);
  }
  for (; i < end; ++i) best.offer(SortKey<T>::encode(row[i], flip), i);
}

template <class E, class T>
void topk_row(const TopkArgs& args, const Row<const T>& row, int64_t o, int64_t i) {
  constexpr int64_t kBlock = 1 << 16;
  const int64_t n = args.n, k = args.k;
  const typename SortKey<T>::Key flip = args.largest ? SortKey<T>::kAll : 0;
  const int64_t capacity = std::max<int64_t>(2 * k, 256);
  const int64_t blocks = n >= kLongRow && capacity <= kBlock / 4 ? (n + kBlock - 1) / kBlock : 1;
  const int64_t block = blocks == 1 ? n : kBlock;
  Buffer<E> entries(blocks * capacity);
  Best<E> first(entries.get(), k, capacity);
  offer_range<E, T>(row, 0, block, flip, first);
  int64_t total = first.finish();
  if (blocks > 1) {
    // The bound of the first block spares the others most of the work. Their best are closed up
    // behind its own, and cut to k once more.
    Buffer<int64_t> counts(blocks);
    parallel_for(block, n, block, [&](int64_t begin, int64_t end) {
      const int64_t b = begin / block;
      Best<E> best(entries.get() + b * capacity, k, capacity);
      best.set_bound(first.bound());
      offer_range<E, T>(row, begin, end, flip, best);
      counts[b] = best.finish();
    });
    for (int64_t b = 1; b < blocks; ++b) {
      const E* from = entries.get() + b * capacity;
      std::copy(from, from + counts[b], entries.get() + total);
      total += counts[b];
    }
    std::nth_element(entries.get(), entries.get() + k - 1, entries.get() + total);
  }
  if (args.sorted) std::sort(entries.get(), entries.get() + k);
  const Row<T> values = output_row<T>(args.values, o, i);
  const Row<int64_t> indices = output_row<int64_t>(args.indices, o, i);
  for (int64_t j = 0; j < k; ++j) {
    const int64_t index = entries[j].index();
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

// The index that the element of rank `rank` has in a stable ascending sort of the row: the leading
// bits of the wanted key come from a histogram, and only entries that share them are looked at.
template <class E, class T>
int64_t rank_in_long_row(const Row<const T>& row, int64_t n, int64_t rank) {
  constexpr int kBits = sizeof(T) == 1 ? 8 : 12;
  constexpr int kShift = 8 * sizeof(T) - kBits;
  using Counts = int32_t[1 << kBits];
  const int64_t block = block_size(n), blocks = (n + block - 1) / block;
  const auto leading = [&](int64_t i) {
    return static_cast<size_t>(SortKey<T>::encode(row[i], 0) >> kShift);
  };
  Buffer<Counts> counts(2 * blocks);  // even and odd elements apart: shorter dependency chains
  parallel_for(0, n, block, [&](int64_t begin, int64_t end) {
    Counts* own = counts.get() + begin / block * 2;
    std::memset(own, 0, 2 * sizeof(Counts));
    int64_t i = begin;
    for (; i + 1 < end; i += 2) {
      ++own[0][leading(i)];
      ++own[1][leading(i + 1)];
    }
    if (i < end) ++own[0][leading(i)];
  });
  Buffer<int64_t> offsets(blocks + 1);
  size_t bucket = 0;
  for (;; ++bucket) {
    offsets[0] = 0;
    for (int64_t b = 0; b < blocks; ++b) {
      offsets[b + 1] = offsets[b] + counts[2 * b][bucket] + counts[2 * b + 1][bucket];
    }
    if (rank < offsets[blocks]) break;
    rank -= offsets[blocks];
  }
  Buffer<E> entries(offsets[blocks]);
  parallel_for(0, n, block, [&](int64_t begin, int64_t end) {
    E* to = entries.get() + offsets[begin / block];
    for (int64_t i = begin; i < end; ++i) {
      if (leading(i) == bucket) *to++ = E::make(SortKey<T>::encode(row[i], 0), i);
    }
  });
  std::nth_element(entries.get(), entries.get() + rank, entries.get() + offsets[blocks]);
  return entries[rank].index();
}

template <class E, class T>
int64_t rank_in_row(const Row<const T>& row, int64_t n, int64_t rank) {
  if (n >= kLongRow) return rank_in_long_row<E, T>(row, n, rank);
  Buffer<E> entries(n);
  for (int64_t i = 0; i < n; ++i) entries[i] = E::make(SortKey<T>::encode(row[i], 0), i);
  std::nth_element(entries.get(), entries.get() + rank, entries.get() + n);
  return entries[rank].index();
}

// The number of NaNs in a row, and the index of the first (n if there is none).
template <class T>
int64_t count_nans(const Row<const T>& row, int64_t n, int64_t* first) {
  constexpr int64_t kChunk = 1 << 12;
  int64_t total = 0;
  *first = n;
  for (int64_t begin = 0; begin < n; begin += kChunk) {
    const int64_t end = std::min(n, begin + kChunk);
    const auto is_nan = [&](int64_t i) {
      return SortKey<T>::is_nan(SortKey<T>::encode(row[i], 0), 0);
    };
    int32_t count = 0;
    if constexpr (is_half(dtype_of<T>)) {
      for (int64_t i = begin; i < end; ++i) count += is_nan(i);
    } else if (row.step == 1) {
      for (int64_t i = begin; i < end; ++i) count += row.data[i] != row.data[i];
    } else {
      for (int64_t i = begin; i < end; ++i) count += row[i] != row[i];
    }
    for (int64_t i = begin; total == 0 && count > 0 && *first == n; ++i) {
      if (is_nan(i)) *first = i;
    }
    total += count;
  }
  return total;
}

template <class E, class T>
int64_t median_of_row(const Row<const T>& row, int64_t n, bool ignore_nan) {
  int64_t nans = 0;
  if constexpr (kIsFloating<T>) {
    int64_t first;
    nans = count_nans(row, n, &first);
    if (nans > 0 && !ignore_nan) return first;
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
  if (call_on_device) {
    static const Kernel<void(const TopkArgs&)> kernel{"topk_rows"};
    return kernel.get(args.dtype)(args);
  }
  visit_dtype(args.dtype, [&]<class T>(T) {
    for_each_row(args.outer, args.inner, args.n, [&](int64_t o, int64_t i) {
      const Row<const T> row = source_row<T>(args.source, o, i);
      if (args.n >= kLongRow && args.k > args.n / 32) return topk_by_sort<T>(args, row, o, i);
      with_entry<T>(args.n, [&]<class E>(E) { topk_row<E, T>(args, row, o, i); });
    });
  });
}

void select_rows(const SelectArgs& args) {
  if (call_on_device) {
    static const Kernel<void(const SelectArgs&)> kernel{"select_rows"};
    return kernel.get(args.dtype)(args);
  }
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
