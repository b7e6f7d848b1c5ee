// sort, topk, kthvalue, medians and mode: what cpu/sort_args.h describes.
#include "cuda/sort/sort.h"

#include "cuda/sort/entries.h"

namespace pt::cuda {
namespace {

// Values and indices of the first k sorted entries of each line. T: unsigned of the element's size.
template <class T>
__global__ void __launch_bounds__(kSortThreads)
    emit_kernel(const uint32_t* from, int64_t n, int64_t lines, int64_t k, int64_t inner,
                ConstRowArray source, RowArray values, RowArray indices) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t p = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; p < lines * k; p += step) {
    const int64_t line = p / k, r = p - line * k;
    const int64_t o = line / inner, i = line - o * inner;
    const int64_t index = from[line * n + r];
    if (values.data) {
      const RowStrides &to = values.strides, &of = source.strides;
      static_cast<T*>(values.data)[o * to.outer + i * to.inner + r * to.step] =
          static_cast<const T*>(source.data)[o * of.outer + i * of.inner + index * of.step];
    }
    if (indices.data) {
      const RowStrides& to = indices.strides;
      static_cast<int64_t*>(indices.data)[o * to.outer + i * to.inner + r * to.step] = index;
    }
  }
}

template <class T, class Args>
KeysOf<T> keys_of(const Args& a, bool descending) {
  return {static_cast<const T*>(a.source.data), a.source.strides, a.inner, descending};
}

template <class T, class Args>
void emit(const Args& a, const uint32_t* from, int64_t n, int64_t k) {
  const int64_t lines = a.outer * a.inner;
  PT_LAUNCH((emit_kernel<BitsOf<T>>), blocks_for(lines * k, kSortThreads), kSortThreads, 0, from, n,
            lines, k, a.inner, a.source, a.values, a.indices);
}

template <class T>
void sort(const SortArgs& a) {
  const int64_t lines = a.outer * a.inner;
  if (lines * a.n == 0) return;
  with_sorted(keys_of<T>(a, a.descending), lines, a.n,
              [&](const SortKey<T>*, const uint32_t* from) { emit<T>(a, from, a.n, a.n); });
}

template <class T>
void topk(const TopkArgs& a) {
  const int64_t lines = a.outer * a.inner;
  if (lines * a.k == 0) return;
  with_first(keys_of<T>(a, a.largest), lines, a.n, a.k,
             [&](const uint32_t* from, int64_t n) { emit<T>(a, from, n, a.k); });
}

template <class Key>
PT_DEVICE int64_t count_below(const Key* row, int64_t n, Key key) {
  int64_t low = 0, high = n;
  while (low < high) {
    const int64_t mid = (low + high) / 2;
    if (row[mid] < key) {
      low = mid + 1;
    } else {
      high = mid;
    }
  }
  return low;
}

// The position in the sorted line that is the result; `floating`: the last key is NaN's.
template <class Key>
__global__ void __launch_bounds__(kSortThreads)
    choose_kernel(const Key* keys, uint32_t* from, int64_t lines, int64_t n, SelectKind kind,
                  int64_t k, bool floating) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t line = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; line < lines; line += step) {
    const Key* row = keys + line * n;
    int64_t place = k - 1;
    if (kind == SelectKind::kMedian || kind == SelectKind::kNanMedian) {
      const int64_t numbers = floating ? count_below(row, n, kLastKey<Key>) : n;
      if (kind == SelectKind::kMedian) {
        place = numbers < n ? numbers : (n - 1) / 2;
      } else {
        place = numbers == 0 ? 0 : (numbers - 1) / 2;
      }
    } else if (kind == SelectKind::kMode) {
      int64_t best = 0, count = 0;
      for (int64_t i = 0; i < n; ++i) {
        ++count;
        const bool nan = floating && row[i] == kLastKey<Key>;
        if (i + 1 < n && row[i + 1] == row[i] && !nan) continue;
        if (count > best) {
          best = count;
          place = i;
        }
        count = 0;
      }
    }
    from[line * n] = from[line * n + place];
  }
}

template <class T>
void select(const SelectArgs& a) {
  const int64_t lines = a.outer * a.inner;
  if (lines == 0) return;
  constexpr bool floating =
      std::is_floating_point_v<T> || std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
  with_sorted(keys_of<T>(a, false), lines, a.n, [&](const SortKey<T>* keys, uint32_t* from) {
    PT_LAUNCH((choose_kernel<SortKey<T>>), blocks_for(lines, kSortThreads), kSortThreads, 0, keys,
              from, lines, a.n, a.kind, a.k, floating);
    emit<T>(a, from, a.n, int64_t{1});
  });
}

__global__ void __launch_bounds__(kSortThreads)
    places_kernel(const uint32_t* from, const int64_t* keys, int64_t n, int64_t* sorted,
                  int64_t* order) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t p = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; p < n; p += step) {
    order[p] = from[p];
    sorted[p] = keys[from[p]];
  }
}

const KernelEntry kEntries[] = {
    {"sort_rows", {PT_ALL_SLOTS(sort)}},
    {"topk_rows", {PT_ALL_SLOTS(topk)}},
    {"select_rows", {PT_ALL_SLOTS(select)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace

void sort_places(const int64_t* keys, int64_t n, int64_t* sorted, int64_t* order) {
  with_sorted(KeysOf<int64_t>{keys, {}, 1, false}, 1, n, [&](const uint64_t*, uint32_t* from) {
    PT_LAUNCH(places_kernel, blocks_for(n, kSortThreads), kSortThreads, 0, from, keys, n, sorted,
              order);
  });
}

}  // namespace pt::cuda
