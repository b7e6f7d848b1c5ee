// The matrix product behind convolutions: C[m, n] = sum over k of A[m, k] * B[k, n], whose B is
// read straight from an image. Columns n and terms k are places: each stands for (outer, z, y, x),
// and B[k, n] is the image's element at the sum of their places. Used by conv.cu, which says what
// the places are for a convolution and for its two gradients.
//
// A block of 256 threads makes a tile of 64 or 128 rows and 64 columns, each thread 4x4 or 8x4 of
// it. Slices of 16 terms lie in shared memory, twice: one is computed with while the next is
// fetched. What the terms of a slice stand for is worked out once for the block.
#pragma once

#include "cpu/conv_args.h"
#include "cuda/divider.h"
#include "cuda/pt_cuda.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {

// What an index stands for: outer = index / size, and a place in a box of `size` elements.
struct Places {
  Divider size, plane, row;
  int step[3], shift[3];
  int64_t image_step;   // elements of the image for one outer
  int64_t result_step;  // columns: of C. Terms: of A.
};

struct Place {
  int64_t image, other;  // offsets in the image, and in C or A
  int z, y, x;
};

PT_DEVICE Place place_of(const Places& p, unsigned index) {
  const unsigned outer = p.size.divide(index), inner = index - outer * p.size.divisor;
  const unsigned z = p.plane.divide(inner), in_plane = inner - z * p.plane.divisor;
  const unsigned y = p.row.divide(in_plane), x = in_plane - y * p.row.divisor;
  return {outer * p.image_step, outer * p.result_step + inner,
          static_cast<int>(z) * p.step[0] + p.shift[0],
          static_cast<int>(y) * p.step[1] + p.shift[1],
          static_cast<int>(x) * p.step[2] + p.shift[2]};
}

struct Product {
  const void* a;
  const void* image;
  void* c;
  const void* bias;  // a number for each row of each group, or null
  int groups;
  unsigned m, n, k;
  int64_t a_row, c_row;                   // the next row's distance
  int64_t a_group, image_group, c_group;  // the next group's
  Places terms, columns;
  int size[3];             // of the image
  Divider every[3];        // places count if they are multiples of these
  bool dense;              // every[] are 1
  bool a_packs, c_packs;   // four terms, or columns, are neighbours and aligned
  unsigned piece, pieces;  // terms to a block; several pieces are merged by another kernel
  void* partial;           // [pieces, groups, m, n]
};

inline constexpr int kConvThreads = 256, kConvColumns = 64, kConvSlice = 16;

template <class T>
PT_DEVICE T image_at(const Product& p, const T* image, const Place& column, const Place& term) {
  int z = column.z + term.z, y = column.y + term.y, x = column.x + term.x;
  if (!p.dense) {
    if (z < 0 || y < 0 || x < 0) return T(0);
    const int oz = static_cast<int>(p.every[0].divide(static_cast<unsigned>(z)));
    const int oy = static_cast<int>(p.every[1].divide(static_cast<unsigned>(y)));
    const int ox = static_cast<int>(p.every[2].divide(static_cast<unsigned>(x)));
    if (oz * static_cast<int>(p.every[0].divisor) != z ||
        oy * static_cast<int>(p.every[1].divisor) != y ||
        ox * static_cast<int>(p.every[2].divisor) != x)
      return T(0);
    z = oz, y = oy, x = ox;
  }
  const bool inside = static_cast<unsigned>(z) < static_cast<unsigned>(p.size[0]) &&
                      static_cast<unsigned>(y) < static_cast<unsigned>(p.size[1]) &&
                      static_cast<unsigned>(x) < static_cast<unsigned>(p.size[2]);
  if (!inside) return T(0);
  return image[column.image + term.image + (int64_t{z} * p.size[1] + y) * p.size[2] + x];
}

template <class T>
PT_DEVICE T finished(const Product& p, int group, unsigned row, T v) {
  if (p.bias) v += static_cast<const T*>(p.bias)[int64_t{group} * p.m + row];
  return v;
}

// Tiles of 64 * kTall rows.
template <class T, int kTall>
__global__ void __launch_bounds__(kConvThreads, sizeof(T) == 4 ? 2 : 1) product_kernel(Product p) {
  using Four = Pack<T, 4>;
  constexpr int kRows = 64 * kTall;
  PT_SHARED(Four, a_tile, [2][kConvSlice][16 * kTall + 1]);
  PT_SHARED(Four, b_tile, [2][kConvSlice][17]);
  PT_SHARED(Place, terms, [2][kConvSlice]);
  const int thread = static_cast<int>(threadIdx.x);
  const int own_row = thread / 16, own_column = thread % 16;  // of packs of four
  const unsigned tiles_m = (p.m + kRows - 1) / kRows;
  const unsigned tiles_n = (p.n + kConvColumns - 1) / kConvColumns;
  const int64_t units = int64_t{tiles_m} * tiles_n * p.groups * p.pieces;
  for (int64_t unit = blockIdx.x; unit < units; unit += gridDim.x) {
    // Neighbouring blocks read the same columns of the image.
    const unsigned m0 = static_cast<unsigned>(unit % tiles_m) * kRows;
    int64_t rest = unit / tiles_m;
    const unsigned n0 = static_cast<unsigned>(rest % tiles_n) * kConvColumns;
    rest /= tiles_n;
    const int group = static_cast<int>(rest % p.groups);
    const unsigned piece = static_cast<unsigned>(rest / p.groups);
    const unsigned begin = piece * p.piece;
    const unsigned end = begin + p.piece < p.k ? begin + p.piece : p.k;
    const T* a = static_cast<const T*>(p.a) + group * p.a_group;
    const T* image = static_cast<const T*>(p.image) + group * p.image_group;

    const unsigned fetched = n0 + thread % kConvColumns;
    const bool has_column = fetched < p.n;
    const Place column = place_of(p.columns, has_column ? fetched : 0);
    const auto find_term = [&](int buffer, int slot, unsigned k) {
      terms[buffer][slot] = place_of(p.terms, k < end ? k : end - 1);
    };
    Four next_a[kTall];
    T next_b[4];
    const auto fetch = [&](int buffer, unsigned k0) {
      const int first = thread % 4 * 4;
      PT_UNROLL
      for (int h = 0; h < kTall; ++h) {
        const unsigned m = m0 + thread / 4 + 64 * h;
        const T* row = a + m * p.a_row;
        if (p.a_packs && m < p.m && k0 + first + 3 < end) {
          next_a[h] = *reinterpret_cast<const Four*>(row + terms[buffer][first].other);
        } else {
          PT_UNROLL
          for (int j = 0; j < 4; ++j)
            next_a[h].v[j] =
                m < p.m && k0 + first + j < end ? row[terms[buffer][first + j].other] : T(0);
        }
      }
      PT_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int k = thread / kConvColumns + 4 * i;
        next_b[i] =
            has_column && k0 + k < end ? image_at(p, image, column, terms[buffer][k]) : T(0);
      }
    };
    const auto put_down = [&](int buffer) {
      PT_UNROLL
      for (int h = 0; h < kTall; ++h) PT_UNROLL
      for (int j = 0; j < 4; ++j) {
        const int row = thread / 4 + 64 * h;
        a_tile[buffer][thread % 4 * 4 + j][row / 4].v[row % 4] = next_a[h].v[j];
      }
      PT_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int n = thread % kConvColumns;
        b_tile[buffer][thread / kConvColumns + 4 * i][n / 4].v[n % 4] = next_b[i];
      }
    };

    __syncthreads();  // the unit before is done with the shared arrays
    if (thread < 2 * kConvSlice)
      find_term(thread / kConvSlice, thread % kConvSlice, begin + thread);
    __syncthreads();
    fetch(0, begin);
    put_down(0);
    __syncthreads();
    T sums[4 * kTall][4] = {};
    int now = 0;
    for (unsigned k0 = begin; k0 < end; k0 += kConvSlice, now ^= 1) {
      const bool more = k0 + kConvSlice < end;
      if (more) fetch(now ^ 1, k0 + kConvSlice);
      PT_UNROLL
      for (int k = 0; k < kConvSlice; ++k) {
        const Four b = b_tile[now][k][own_column];
        PT_UNROLL
        for (int h = 0; h < kTall; ++h) {
          const Four v = a_tile[now][k][own_row + 16 * h];
          PT_UNROLL
          for (int i = 0; i < 4; ++i) PT_UNROLL
          for (int j = 0; j < 4; ++j) sums[4 * h + i][j] += v.v[i] * b.v[j];
        }
      }
      if (more) put_down(now ^ 1);
      if (thread < kConvSlice) find_term(now, thread, k0 + 2 * kConvSlice + thread);
      __syncthreads();
    }

    const unsigned n = n0 + own_column * 4;
    if (n >= p.n) continue;
    int64_t at[4];
    PT_UNROLL
    for (int j = 0; j < 4; ++j)
      at[j] = n + j < p.n ? place_of(p.columns, n + j).other + group * p.c_group : -1;
    PT_UNROLL
    for (int i = 0; i < 4 * kTall; ++i) {
      const unsigned m = m0 + 64 * (i / 4) + own_row * 4 + i % 4;
      if (m >= p.m) continue;
      if (p.pieces > 1) {
        T* to =
            static_cast<T*>(p.partial) + ((int64_t{piece} * p.groups + group) * p.m + m) * p.n + n;
        PT_UNROLL
        for (int j = 0; j < 4; ++j)
          if (at[j] >= 0) to[j] = sums[i][j];
        continue;
      }
      T* to = static_cast<T*>(p.c) + m * p.c_row;
      Four out;
      PT_UNROLL
      for (int j = 0; j < 4; ++j) out.v[j] = finished(p, group, m, sums[i][j]);
      if (p.c_packs) {
        *reinterpret_cast<Four*>(to + at[0]) = out;
      } else {
        PT_UNROLL
        for (int j = 0; j < 4; ++j)
          if (at[j] >= 0) to[at[j]] = out.v[j];
      }
    }
  }
}

template <class T>
__global__ void __launch_bounds__(kConvThreads) merge_products_kernel(Product p) {
  const int64_t all = int64_t{p.m} * p.n * p.groups, step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < all; i += step) {
    double sum = 0;
    for (unsigned piece = 0; piece < p.pieces; ++piece)
      sum += static_cast<double>(static_cast<const T*>(p.partial)[piece * all + i]);
    const int64_t line = i / p.n;
    const unsigned m = static_cast<unsigned>(line % p.m), n = static_cast<unsigned>(i % p.n);
    const int group = static_cast<int>(line / p.m);
    static_cast<T*>(p.c)[group * p.c_group + m * p.c_row + place_of(p.columns, n).other] =
        finished(p, group, m, static_cast<T>(sum));
  }
}

// How the terms are cut: enough blocks for a large device, and sums of bounded length.
inline void cut_terms(Product& p, int64_t tiles, int64_t longest) {
  constexpr int64_t kBlocks = 512, kLeast = 256;
  int64_t pieces = (int64_t{p.k} + longest - 1) / longest;
  if (tiles * pieces < kBlocks / 2) {
    const int64_t wanted = kBlocks / tiles, possible = p.k / kLeast;
    const int64_t more = wanted < possible ? wanted : possible;
    if (more > pieces) pieces = more;
  }
  if (pieces < 1) pieces = 1;
  const int64_t piece = (p.k + pieces - 1) / pieces;
  p.piece = static_cast<unsigned>((piece + kConvSlice - 1) / kConvSlice * kConvSlice);
  p.pieces = (p.k + p.piece - 1) / p.piece;
}

template <class T>
void run_product(Product p, int64_t longest) {
  const auto tiles = [&](int64_t rows) {
    return (p.m + rows - 1) / rows * ((int64_t{p.n} + kConvColumns - 1) / kConvColumns) * p.groups;
  };
  // Tall tiles read less, where there are enough of them. In double they would fill the memory.
  const bool tall = sizeof(T) == 4 && p.m > 64 && tiles(128) >= 256;
  const int64_t count = tall ? tiles(128) : tiles(64);
  cut_terms(p, count, longest);
  const Scratch partial(p.pieces > 1 ? sizeof(T) * p.pieces * p.groups * int64_t{p.m} * p.n : 0);
  if (p.pieces > 1 && !partial) return;
  p.partial = partial.as<void>();
  const int64_t units = count * p.pieces;
  const unsigned blocks = static_cast<unsigned>(units < (1 << 30) ? units : 1 << 30);
  if constexpr (sizeof(T) == 4) {
    if (tall) PT_LAUNCH((product_kernel<T, 2>), blocks, kConvThreads, 0, p);
  }
  if (!tall) PT_LAUNCH((product_kernel<T, 1>), blocks, kConvThreads, 0, p);
  if (p.pieces > 1)
    PT_LAUNCH((merge_products_kernel<T>), blocks_for(int64_t{p.m} * p.n * p.groups, kConvThreads),
              kConvThreads, 0, p);
}

}  // namespace pt::cuda
