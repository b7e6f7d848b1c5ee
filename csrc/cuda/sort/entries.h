// Sorted lines of entries: keys with the positions that they came from. Tiles are sorted in shared
// memory by a bitonic network over (key, position), so that every sort is stable, and then merged:
// each entry finds its place by a binary search in the tile it is merged with.
#pragma once

#include "cpu/sort_args.h"
#include "cuda/registry.h"
#include "cuda/scratch.h"
#include "cuda/sort/keys.h"

namespace pt::cuda {

inline constexpr int kSortThreads = 256;
inline constexpr int kTile = 1024;  // entries of a tile; lines that are shorter share one
inline constexpr uint32_t kNoEntry = 0xffffffffu;

// Lines as keys of a strided array.
template <class T>
struct KeysOf {
  const T* data;
  RowStrides strides;
  int64_t inner;
  bool descending;
  using Key = SortKey<T>;
  PT_DEVICE void load(int64_t line, int64_t r, Key& key, uint32_t& from) const {
    const int64_t at = line / inner * strides.outer + line % inner * strides.inner;
    key = sort_key(data[at + r * strides.step], descending);
    from = static_cast<uint32_t>(r);
  }
};
// Lines of entries that are there already, n to a line.
template <class K>
struct EntriesOf {
  const K* keys;
  const uint32_t* from;
  int64_t n;
  using Key = K;
  PT_DEVICE void load(int64_t line, int64_t r, Key& key, uint32_t& place) const {
    key = keys[line * n + r];
    place = from[line * n + r];
  }
};

// Sorts tiles of `tile` entries (a power of two) and keeps the first `kept` of each; entries that a
// tile lacks come last, as kNoEntry.
template <class Source>
__global__ void __launch_bounds__(kSortThreads)
    sort_tiles_kernel(Source source, int64_t lines, int64_t n, int tile, int kept, int64_t out_n,
                      typename Source::Key* out_keys, uint32_t* out_from) {
  using Key = typename Source::Key;
  PT_SHARED(Key, keys, [kTile]);
  PT_SHARED(uint32_t, from, [kTile]);
  const int thread = static_cast<int>(threadIdx.x);
  const int64_t tiles = (n + tile - 1) / tile;  // of a line
  const int64_t segments = lines * tiles;
  const int64_t groups = (segments * tile + kTile - 1) / kTile;
  PT_UNROLL_BY(1)
  for (int64_t g = blockIdx.x; g < groups; g += gridDim.x) {
    for (int i = thread; i < kTile; i += kSortThreads) {
      const int64_t segment = g * (kTile / tile) + i / tile;
      const int64_t line = segment / tiles, r = segment % tiles * tile + i % tile;
      Key key = kLastKey<Key>;
      uint32_t place = kNoEntry;
      if (segment < segments && r < n) source.load(line, r, key, place);
      keys[i] = key;
      from[i] = place;
    }
    __syncthreads();
    for (int size = 2; size <= tile; size *= 2) {
      for (int step = size / 2; step > 0; step /= 2) {
        for (int i = thread; i < kTile / 2; i += kSortThreads) {
          const int low = 2 * i - (i & (step - 1)), high = low + step;
          const bool up = ((low & (tile - 1)) & size) == 0;
          const Key a = keys[low], b = keys[high];
          const uint32_t p = from[low], q = from[high];
          const bool wrong = a > b || (a == b && p > q);
          if (wrong == up) {
            keys[low] = b;
            keys[high] = a;
            from[low] = q;
            from[high] = p;
          }
        }
        __syncthreads();
      }
    }
    for (int i = thread; i < kTile; i += kSortThreads) {
      const int64_t segment = g * (kTile / tile) + i / tile;
      const int64_t line = segment / tiles, part = segment % tiles;
      const int64_t r = part * kept + i % tile;
      if (segment >= segments || i % tile >= kept || r >= out_n) continue;
      out_keys[line * out_n + r] = keys[i];
      out_from[line * out_n + r] = from[i];
    }
    __syncthreads();
  }
}

// Merges neighbouring sorted runs of `width` entries.
template <class Key>
__global__ void __launch_bounds__(kSortThreads)
    merge_runs_kernel(const Key* keys, const uint32_t* from, int64_t lines, int64_t n,
                      int64_t width, Key* out_keys, uint32_t* out_from) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t p = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; p < lines * n; p += step) {
    const int64_t line = p / n, r = p % n;
    const int64_t first = r / (2 * width) * (2 * width);
    const int64_t middle = first + width < n ? first + width : n;
    const int64_t end = first + 2 * width < n ? first + 2 * width : n;
    const Key* row = keys + line * n;
    const Key key = row[r];
    const bool left = r < middle;
    int64_t low = left ? middle : first, high = left ? end : middle;
    const int64_t begin = low;
    while (low < high) {  // of the other run: those before this entry
      const int64_t mid = (low + high) / 2;
      const bool before = left ? row[mid] < key : row[mid] <= key;
      if (before) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    const int64_t at = line * n + r + (low - begin) - (left ? 0 : middle - first);
    out_keys[at] = key;
    out_from[at] = from[p];
  }
}

// Sorted entries of `lines` lines of n.
template <class Key>
class Entries {
 public:
  Entries(int64_t lines, int64_t n)
      : lines_(lines),
        n_(n),
        keys_(static_cast<size_t>(lines * n) * sizeof(Key)),
        from_(static_cast<size_t>(lines * n) * sizeof(uint32_t)) {}
  explicit operator bool() const { return keys_ && from_; }
  int64_t n() const { return n_; }
  Key* keys() const { return keys_.template as<Key>(); }
  uint32_t* from() const { return from_.template as<uint32_t>(); }

 private:
  int64_t lines_, n_;
  Scratch keys_, from_;
};

inline int tile_of(int64_t n) {
  int tile = 2;
  while (tile < n && tile < kTile) tile *= 2;
  return tile;
}

template <class Source>
void sort_tiles(const Source& source, int64_t lines, int64_t n, int kept, int64_t out_n,
                typename Source::Key* keys, uint32_t* from) {
  const int tile = tile_of(n);
  const int64_t slots = (n + tile - 1) / tile * tile * lines;
  PT_LAUNCH((sort_tiles_kernel<Source>), blocks_for((slots + 3) / 4, kSortThreads), kSortThreads, 0,
            source, lines, n, tile, kept, out_n, keys, from);
}

// Calls use(keys, from) with the sorted entries on the device; nothing if memory is short.
template <class Source, class F>
void with_sorted(const Source& source, int64_t lines, int64_t n, F use) {
  using Key = typename Source::Key;
  if (n >= int64_t{kNoEntry}) return note(cudaErrorInvalidValue);
  const Entries<Key> a(lines, n);
  if (!a) return;
  sort_tiles(source, lines, n, tile_of(n), n, a.keys(), a.from());
  if (n <= kTile) return use(a.keys(), a.from());
  const Entries<Key> b(lines, n);
  if (!b) return;
  const Entries<Key>*now = &a, *next = &b;
  for (int64_t width = kTile; width < n; width *= 2) {
    PT_LAUNCH((merge_runs_kernel<Key>), blocks_for(lines * n, kSortThreads), kSortThreads, 0,
              now->keys(), now->from(), lines, n, width, next->keys(), next->from());
    const Entries<Key>* swapped = now;
    now = next;
    next = swapped;
  }
  use(now->keys(), now->from());
}

// The same with the first k entries of each line alone: use(from, entries to a line).
template <class Source, class F>
void with_first(const Source& source, int64_t lines, int64_t n, int64_t k, F use) {
  using Key = typename Source::Key;
  if (n <= kTile || k > kTile / 4) {
    with_sorted(source, lines, n, [&](const Key*, const uint32_t* from) { use(from, n); });
    return;
  }
  if (n >= int64_t{kNoEntry}) return note(cudaErrorInvalidValue);
  // Of each tile only k entries can be among the first k.
  const int kept = static_cast<int>(k);
  int64_t left = (n + kTile - 1) / kTile * kept;
  const Entries<Key> a(lines, left);
  if (!a) return;
  sort_tiles(source, lines, n, kept, left, a.keys(), a.from());
  const EntriesOf<Key> candidates{a.keys(), a.from(), left};
  with_first(candidates, lines, left, k, use);
}

}  // namespace pt::cuda
