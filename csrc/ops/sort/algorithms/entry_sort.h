// Sorts entries (key, index): a sorting network and merges for short rows, least-significant-digit
// radix sort for longer ones. Internal to ops/sort/algorithms.
//
// radix_sort_parallel cuts the input into fixed blocks; each pass counts digits per block, turns
// the counts into offsets and scatters. Its first pass reads straight from the source and its
// last writes straight to the outputs, and digits that are the same everywhere cost no pass.
#pragma once

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/parallel.h"
#include "ops/sort/algorithms/buffer.h"
#include "ops/sort/algorithms/sort_key.h"

namespace pt::sorting {

// yes ? a : b by masks, which no compiler turns into a branch.
inline uint64_t select_bits(int64_t yes, uint64_t a, uint64_t b) {
  return b ^ ((a ^ b) & static_cast<uint64_t>(-yes));
}
inline PackedEntry select(int64_t yes, PackedEntry a, PackedEntry b) {
  return {select_bits(yes, a.bits, b.bits)};
}
inline WideEntry select(int64_t yes, WideEntry a, WideEntry b) {
  return {select_bits(yes, a.key_bits, b.key_bits), select_bits(yes, a.position, b.position)};
}

// The lower and the higher of two entries; single words become conditional moves.
inline PackedEntry lower(PackedEntry a, PackedEntry b) { return {std::min(a.bits, b.bits)}; }
inline PackedEntry higher(PackedEntry a, PackedEntry b) { return {std::max(a.bits, b.bits)}; }
inline WideEntry lower(WideEntry a, WideEntry b) { return select(b < a, b, a); }
inline WideEntry higher(WideEntry a, WideEntry b) { return select(b < a, a, b); }

// Masks here: between network steps they are faster than conditional moves.
template <class E>
inline void order(E& a, E& b) {
  const int64_t swap = b < a;
  const E low = select(swap, b, a), high = select(swap, a, b);
  a = low;
  b = high;
}

// Up to 8 entries by the 19-comparator network, from `data` to `out`, which may be the same.
template <class E>
inline void sort8(const E* data, int64_t n, E* out) {
  E v[8];
  for (int64_t i = 0; i < n; ++i) v[i] = data[i];
  for (int64_t i = n; i < 8; ++i) v[i] = E::last();
  constexpr int8_t kNetwork[19][2] = {{0, 2}, {1, 3}, {4, 6}, {5, 7}, {0, 4}, {1, 5}, {2, 6},
                                      {3, 7}, {0, 1}, {2, 3}, {4, 5}, {6, 7}, {2, 4}, {3, 5},
                                      {1, 4}, {3, 6}, {1, 2}, {3, 4}, {5, 6}};
#pragma GCC unroll 19
  for (int i = 0; i < 19; ++i) order(v[kNetwork[i][0]], v[kNetwork[i][1]]);
  for (int64_t i = 0; i < n; ++i) out[i] = v[i];
}

// Merges sorted a[n] and b[n] or b[n + 1] from both ends at once: n outputs from each side can
// never run past either input, so there is nothing to test but the order, and that without a
// branch, which random data would mispredict every other time.
template <class E>
inline void merge_halves(const E* a, int64_t n, const E* b, int64_t m, E* out) {
  int64_t a_front = 0, b_front = 0, a_back = n - 1, b_back = m - 1;
  for (int64_t i = 0; i < n; ++i) {
    const E x = a[a_front], y = b[b_front];
    const int64_t from_b = y < x;
    out[i] = lower(x, y);
    b_front += from_b;
    a_front += 1 - from_b;
    const E u = a[a_back], v = b[b_back];
    const int64_t from_a = v < u;
    out[n + m - 1 - i] = higher(u, v);
    a_back -= from_a;
    b_back -= 1 - from_a;
  }
  if (m > n) out[n] = a_front <= a_back ? a[a_front] : b[b_front];
}

template <class E>
void merge_sort(E* data, E* spare, int64_t n, bool into_spare) {
  if (n <= 8) {
    E* out = into_spare ? spare : data;
    return n == 8 ? sort8(data, 8, out) : sort8(data, n, out);
  }
  const int64_t half = n / 2;
  merge_sort(data, spare, half, !into_spare);
  merge_sort(data + half, spare + half, n - half, !into_spare);
  const E* from = into_spare ? data : spare;
  merge_halves(from, half, from + half, n - half, into_spare ? spare : data);
}

// Sorts data[n], whose indices ascend already; `spare` is as large. Keys have `key_bytes` bytes.
template <class E>
void sort_entries(E* data, E* spare, int64_t n, int key_bytes) {
  const int64_t radix_from = 96 * key_bytes + 64;
  if (n < radix_from) return merge_sort(data, spare, n, false);
  uint32_t counts[8][256];
  std::memset(counts, 0, sizeof(counts[0]) * static_cast<size_t>(key_bytes));
  for (int64_t i = 0; i < n; ++i) {
    for (int b = 0; b < key_bytes; ++b) ++counts[b][data[i].digit(b)];
  }
  E* from = data;
  E* to = spare;
  for (int b = 0; b < key_bytes; ++b) {
    uint32_t* offsets = counts[b];
    if (offsets[from[0].digit(b)] == n) continue;
    uint32_t sum = 0;
    for (int d = 0; d < 256; ++d) sum += std::exchange(offsets[d], sum);
    for (int64_t i = 0; i < n; ++i) to[offsets[from[i].digit(b)]++] = from[i];
    std::swap(from, to);
  }
  if (from != data) std::copy(from, from + n, data);
}

inline constexpr int64_t kParallelFrom = 1 << 16;

// Cuts n into at most 64 blocks of at least 32K.
inline int64_t block_size(int64_t n) { return std::max<int64_t>(1 << 15, (n + 63) / 64); }

// read(i) gives entry i of the source; write(position, entry) takes the sorted ones, in parallel
// and in no particular order. `spare` may point to memory for n entries that `write` overwrites.
template <class E, class Read, class Write>
void radix_sort_parallel(int64_t n, int key_bytes, E* spare, Read&& read, Write&& write) {
  using Counts = int64_t[256];
  const int64_t block = block_size(n), blocks = (n + block - 1) / block;
  Buffer<Counts> counts(blocks * key_bytes);
  parallel_for(0, n, block, [&](int64_t begin, int64_t end) {
    Counts* own = counts.get() + begin / block * key_bytes;
    std::memset(own, 0, sizeof(Counts) * static_cast<size_t>(key_bytes));
    for (int64_t i = begin; i < end; ++i) {
      const E e = read(i);
      for (int b = 0; b < key_bytes; ++b) ++own[b][e.digit(b)];
    }
  });
  int active[8], passes = 0;
  for (int b = 0; b < key_bytes; ++b) {
    const unsigned first = read(0).digit(b);
    int64_t same = 0;
    for (int64_t k = 0; k < blocks; ++k) same += counts[k * key_bytes + b][first];
    if (same != n) active[passes++] = b;
  }
  if (passes == 0) {
    parallel_for(0, n, block, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) write(i, read(i));
    });
    return;
  }
  // The last intermediate result must not lie in `spare`, which the final pass overwrites.
  Buffer<E> own_a(passes > 1 ? n : 0), own_b(passes > 2 && !spare ? n : 0);
  E* buffers[2] = {own_a.get(), spare ? spare : own_b.get()};
  Buffer<Counts> offsets(blocks);
  const E* from = nullptr;
  for (int p = 0; p < passes; ++p) {
    const int byte = active[p];
    const bool last = p == passes - 1;
    E* to = last ? nullptr : buffers[(passes - p) % 2];
    if (p == 0) {
      for (int64_t k = 0; k < blocks; ++k) {
        std::memcpy(offsets[k], counts[k * key_bytes + byte], sizeof(Counts));
      }
    } else {
      parallel_for(0, n, block, [&](int64_t begin, int64_t end) {
        int64_t* own = offsets[begin / block];
        std::memset(own, 0, sizeof(Counts));
        for (int64_t i = begin; i < end; ++i) ++own[from[i].digit(byte)];
      });
    }
    int64_t sum = 0;
    for (int d = 0; d < 256; ++d) {
      for (int64_t k = 0; k < blocks; ++k) sum += std::exchange(offsets[k][d], sum);
    }
    parallel_for(0, n, block, [&](int64_t begin, int64_t end) {
      int64_t* at = offsets[begin / block];
      auto scatter = [&](auto&& source, auto&& sink) {
        for (int64_t i = begin; i < end; ++i) {
          const E e = source(i);
          sink(at[e.digit(byte)]++, e);
        }
      };
      auto from_buffer = [&](int64_t i) { return from[i]; };
      auto to_buffer = [&](int64_t position, E e) { to[position] = e; };
      if (p == 0) {
        last ? scatter(read, write) : scatter(read, to_buffer);
      } else {
        last ? scatter(from_buffer, write) : scatter(from_buffer, to_buffer);
      }
    });
    from = to;
  }
}

}  // namespace pt::sorting
