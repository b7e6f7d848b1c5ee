// Sorting along rows, with indices. Rows are encoded as (key, index) entries, sorted, and decoded
// into the outputs; many short rows run in parallel, a long row is itself sorted in parallel.
#include "cpu/kernel_table.h"
#include "ops/sort/algorithms/entry_sort.h"
#include "ops/sort/algorithms/sorting.h"

namespace pt {
namespace {

using namespace sorting;

// How elements become keys: `flip` reverses the order, `base` is the smallest key of 64-bit
// integers that span less than 2^32 and so fit the short entries.
template <class T>
struct Coding {
  typename SortKey<T>::Key flip = 0, base = 0;
  int key_bytes = sizeof(T);

  uint64_t encode(T value) const {
    return static_cast<typename SortKey<T>::Key>(SortKey<T>::encode(value, flip) - base);
  }
  typename SortKey<T>::Key key_of(uint64_t code) const {
    return static_cast<typename SortKey<T>::Key>(code + base);
  }
};

// Neighbouring rows of the problem with typed pointers; row r starts r inner strides further on.
template <class T>
class Rows {
 public:
  Rows(const SortArgs& a, int64_t o, int64_t i, const Coding<T>& coding)
      : source_(static_cast<const T*>(a.source.data) + offset(a.source.strides, o, i)),
        values_(a.values.data ? static_cast<T*>(a.values.data) + offset(a.values.strides, o, i)
                              : nullptr),
        indices_(a.indices.data
                     ? static_cast<int64_t*>(a.indices.data) + offset(a.indices.strides, o, i)
                     : nullptr),
        at_source_(a.source.strides),
        at_values_(a.values.strides),
        at_indices_(a.indices.strides),
        coding_(coding) {}

  T element(int64_t r, int64_t i) const {
    return source_[r * at_source_.inner + i * at_source_.step];
  }
  int64_t* contiguous_indices() const { return at_indices_.step == 1 ? indices_ : nullptr; }

  uint64_t key(int64_t i) const { return coding_.encode(element(0, i)); }
  void write_index(int64_t position, int64_t index) const {
    if (indices_) indices_[position * at_indices_.step] = index;
  }
  // `count` elements of one key, from a position on.
  void write_run(int64_t position, int64_t count, uint64_t code) const {
    if (!values_) return;
    const T value = SortKey<T>::decode(coding_.key_of(code), coding_.flip);
    for (int64_t i = position; i < position + count; ++i) values_[i * at_values_.step] = value;
  }

  template <class E>
  E read(int64_t r, int64_t i) const {
    return E::make(coding_.encode(element(r, i)), i);
  }
  template <class E>
  void write(int64_t r, int64_t position, E entry) const {
    const int64_t index = entry.index();
    if (indices_) indices_[r * at_indices_.inner + position * at_indices_.step] = index;
    if (!values_) return;
    const typename SortKey<T>::Key key = coding_.key_of(entry.key()), flip = coding_.flip;
    values_[r * at_values_.inner + position * at_values_.step] =
        SortKey<T>::is_ambiguous(key, flip) ? element(r, index) : SortKey<T>::decode(key, flip);
  }

 private:
  static int64_t offset(const RowStrides& s, int64_t o, int64_t i) {
    return o * s.outer + i * s.inner;
  }

  const T* source_;
  T* values_;
  int64_t* indices_;
  RowStrides at_source_, at_values_, at_indices_;
  Coding<T> coding_;
};

template <class T, class E>
void sort_long_rows(const SortArgs& args, const Coding<T>& coding) {
  for (int64_t o = 0; o < args.outer; ++o) {
    for (int64_t i = 0; i < args.inner; ++i) {
      const Rows<T> row(args, o, i, coding);
      E* spare = nullptr;
      if constexpr (sizeof(E) == sizeof(int64_t)) {
        spare = reinterpret_cast<E*>(row.contiguous_indices());
      }
      radix_sort_parallel<E>(
          args.n, coding.key_bytes, spare, [&](int64_t k) { return row.template read<E>(0, k); },
          [&](int64_t position, E e) { row.write(0, position, e); });
    }
  }
}

// Sorts `count` neighbouring rows; `entries` has room for all of them, `spare` for one. A constant
// count of 1 removes the loops over them.
template <class E, class T>
inline void sort_tile(const Rows<T>& rows, int64_t count, int64_t n, int key_bytes, E* entries,
                      E* spare) {
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t r = 0; r < count; ++r) entries[r * n + k] = rows.template read<E>(r, k);
  }
  for (int64_t r = 0; r < count; ++r) sort_entries(entries + r * n, spare, n, key_bytes);
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t r = 0; r < count; ++r) rows.write(r, k, entries[r * n + k]);
  }
}

// Rows whose elements lie apart are taken in tiles of neighbours, which share cache lines.
template <class T, class E>
void sort_short_rows(const SortArgs& args, const Coding<T>& coding) {
  constexpr int64_t kTile = 16, kWorkPerTask = 1 << 14;
  const int64_t n = args.n;
  const int64_t tile = args.source.strides.step == 1 ? 1 : std::min(kTile, args.inner);
  const int64_t tiles = (args.inner + tile - 1) / tile;
  const int64_t grain = std::max<int64_t>(1, kWorkPerTask / (n * tile));
  parallel_for(0, args.outer * tiles, grain, [&](int64_t begin, int64_t end) {
    Buffer<E> entries(n * tile), spare(n);
    for (int64_t t = begin; t < end; ++t) {
      const int64_t o = t / tiles, first = t % tiles * tile;
      const int64_t count = std::min(tile, args.inner - first);
      const Rows<T> rows(args, o, first, coding);
      if (count == 1) {
        sort_tile(rows, 1, n, coding.key_bytes, entries.get(), spare.get());
      } else {
        sort_tile(rows, count, n, coding.key_bytes, entries.get(), spare.get());
      }
    }
  });
}

constexpr int64_t kKeys = 256, kCountedFrom = 256, kCountedChunk = 1 << 15;

// A row of one-byte elements is sorted by counting: `before` has room for kKeys places of each
// chunk of the row, at which the chunk's elements of a key begin.
template <class T>
void sort_by_counting(const Rows<T>& row, int64_t n, int64_t* before) {
  const int64_t chunks = (n + kCountedChunk - 1) / kCountedChunk;
  const auto each_chunk = [&](auto f) {
    parallel_for(0, chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c)
        f(before + c * kKeys, c * kCountedChunk, std::min(n, (c + 1) * kCountedChunk));
    });
  };
  each_chunk([&](int64_t* count, int64_t first, int64_t last) {
    // Two counters a key: equal neighbours need not wait for each other.
    uint32_t odd[kKeys] = {}, even[kKeys] = {};
    int64_t i = first;
    for (; i + 1 < last; i += 2) ++even[row.key(i)], ++odd[row.key(i + 1)];
    if (i < last) ++even[row.key(i)];
    for (int64_t k = 0; k < kKeys; ++k) count[k] = int64_t{even[k]} + odd[k];
  });
  int64_t position = 0;
  for (int64_t k = 0; k < kKeys; ++k) {
    const int64_t start = position;
    for (int64_t c = 0; c < chunks; ++c) {
      const int64_t count = before[c * kKeys + k];
      before[c * kKeys + k] = position;
      position += count;
    }
    row.write_run(start, position - start, static_cast<uint64_t>(k));
  }
  each_chunk([&](int64_t* at, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) row.write_index(at[row.key(i)]++, i);
  });
}

template <class T>
void sort_bytes(const SortArgs& args, const Coding<T>& coding) {
  const int64_t chunks = (args.n + kCountedChunk - 1) / kCountedChunk;
  const int64_t rows = args.outer * args.inner;
  const auto sort_some = [&](int64_t begin, int64_t end) {
    Buffer<int64_t> before(chunks * kKeys);
    for (int64_t r = begin; r < end; ++r)
      sort_by_counting(Rows<T>(args, r / args.inner, r % args.inner, coding), args.n, before.get());
  };
  if (chunks > 1) return sort_some(0, rows);  // the chunks are dealt out
  parallel_for(0, rows, std::max<int64_t>(1, kCountedChunk / args.n), sort_some);
}

// The smallest and largest key of all rows.
template <class T>
void key_range(const SortArgs& args, const Coding<T>& coding, uint64_t* low, uint64_t* high) {
  *low = ~uint64_t{0};
  *high = 0;
  for (int64_t o = 0; o < args.outer; ++o) {
    const Rows<T> rows(args, o, 0, coding);
    const bool along = args.source.strides.step == 1;
    const int64_t slow = along ? args.inner : args.n, fast = along ? args.n : args.inner;
    for (int64_t i = 0; i < slow; ++i) {
      for (int64_t k = 0; k < fast; ++k) {
        const uint64_t key = coding.encode(along ? rows.element(i, k) : rows.element(k, i));
        *low = std::min(*low, key);
        *high = std::max(*high, key);
      }
    }
  }
}

template <class T, class E>
void sort_all(const SortArgs& args, const Coding<T>& coding) {
  if (args.n >= kParallelFrom) {
    sort_long_rows<T, E>(args, coding);
  } else {
    sort_short_rows<T, E>(args, coding);
  }
}

}  // namespace

void sort_rows(const SortArgs& args) {
  if (args.n == 0 || args.outer == 0 || args.inner == 0) return;
  if (call_on_device) {
    static const Kernel<void(const SortArgs&)> kernel{"sort_rows"};
    return kernel.get(args.dtype)(args);
  }
  visit_dtype(args.dtype, [&]<class T>(T) {
    Coding<T> coding;
    coding.flip = args.descending ? SortKey<T>::kAll : typename SortKey<T>::Key{0};
    if constexpr (std::is_same_v<T, int64_t>) {
      uint64_t low, high;
      key_range(args, coding, &low, &high);
      if (high - low <= 0xffffffffu && args.n < PackedEntry::kMaxCount) {
        coding.base = low;
        coding.key_bytes = high == low ? 1 : (std::bit_width(high - low) + 7) / 8;
        return sort_all<T, PackedEntry>(args, coding);
      }
    }
    if constexpr (sizeof(T) == 1) {
      if (args.n >= kCountedFrom && args.source.strides.step == 1) return sort_bytes(args, coding);
    }
    with_entry<T>(args.n, [&]<class E>(E) { sort_all<T, E>(args, coding); });
  });
}

}  // namespace pt
