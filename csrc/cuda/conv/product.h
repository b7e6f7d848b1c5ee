// The matrix product behind convolutions: C[m, n] = sum over k of A[m, k] * B[k, n], whose B is
// read straight from an image. Columns n and terms k are places: each stands for (outer, z, y, x),
// and B[k, n] is the image's element at the sum of their places. Used by the kernels of conv.cu and
// of tensor_core.h; products.h says what the places are for a convolution and for its two
// gradients.
#pragma once

#include "cpu/conv_args.h"
#include "cuda/conv/finish.h"
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

struct Product {
  const void* a;
  const void* image;
  void* c;
  ConvFinish finish;  // of rows of all groups
  int groups;
  unsigned m, n, k;
  int64_t a_row, c_row;                   // the next row's distance
  int64_t a_group, image_group, c_group;  // the next group's
  Places terms, columns;
  int size[3];             // of the image
  Divider every[3];        // places count if they are multiples of these
  bool dense;              // every[] are 1
  bool a_packs;            // 16 bytes of terms are neighbours and aligned
  bool c_packs;            // four columns are neighbours and aligned
  unsigned piece, pieces;  // terms to a block; several pieces are merged by another kernel
  void* partial;           // [pieces, groups, m, n], of the type of the sums
  int64_t units;           // tiles of all groups and pieces
};

PT_DEVICE int64_t result_of(const Places& p, unsigned index) {
  const unsigned outer = p.size.divide(index);
  return outer * p.result_step + (index - outer * p.size.divisor);
}

// In a dense image the offsets of a column and a term add up to that of their element.
PT_DEVICE Place place_of(const Product& product, const Places& p, unsigned index) {
  const unsigned outer = p.size.divide(index), inner = index - outer * p.size.divisor;
  const unsigned z = p.plane.divide(inner), in_plane = inner - z * p.plane.divisor;
  const unsigned y = p.row.divide(in_plane), x = in_plane - y * p.row.divisor;
  Place place{outer * p.image_step, outer * p.result_step + inner,
              static_cast<int>(z) * p.step[0] + p.shift[0],
              static_cast<int>(y) * p.step[1] + p.shift[1],
              static_cast<int>(x) * p.step[2] + p.shift[2]};
  if (product.dense)
    place.image += (int64_t{place.z} * product.size[1] + place.y) * product.size[2] + place.x;
  return place;
}

// Columns and terms that do not exist have this z: no sum with another place is inside.
inline constexpr int kOutside = -(1 << 30);

// Where the image's element at the sum of two places lies, or -1 outside of it.
PT_DEVICE int64_t image_offset(const Product& p, int64_t offset, int z, int y, int x) {
  if (!p.dense) {
    if (z < 0 || y < 0 || x < 0) return -1;
    const int oz = static_cast<int>(p.every[0].divide(static_cast<unsigned>(z)));
    const int oy = static_cast<int>(p.every[1].divide(static_cast<unsigned>(y)));
    const int ox = static_cast<int>(p.every[2].divide(static_cast<unsigned>(x)));
    if (oz * static_cast<int>(p.every[0].divisor) != z ||
        oy * static_cast<int>(p.every[1].divisor) != y ||
        ox * static_cast<int>(p.every[2].divisor) != x)
      return -1;
    z = oz, y = oy, x = ox;
    offset += (int64_t{z} * p.size[1] + y) * p.size[2] + x;
  }
  const bool inside = static_cast<unsigned>(z) < static_cast<unsigned>(p.size[0]) &&
                      static_cast<unsigned>(y) < static_cast<unsigned>(p.size[1]) &&
                      static_cast<unsigned>(x) < static_cast<unsigned>(p.size[2]);
  return inside ? offset : -1;
}

struct ProductUnit {
  unsigned m0, n0, begin;  // begin: of the terms
  int group, piece, terms;
};
// Neighbouring blocks read the same columns of the image.
template <class Math>
PT_DEVICE ProductUnit product_unit(const Product& p, int64_t unit) {
  const unsigned tiles_m = (p.m + Math::kRows - 1) / Math::kRows;
  const unsigned tiles_n = (p.n + Math::kColumns - 1) / Math::kColumns;
  ProductUnit u;
  u.m0 = static_cast<unsigned>(unit % tiles_m) * Math::kRows;
  int64_t rest = unit / tiles_m;
  u.n0 = static_cast<unsigned>(rest % tiles_n) * Math::kColumns;
  rest /= tiles_n;
  u.group = static_cast<int>(rest % p.groups);
  u.piece = static_cast<int>(rest / p.groups);
  u.begin = static_cast<unsigned>(u.piece) * p.piece;
  u.terms = static_cast<int>(p.k - u.begin < p.piece ? p.k - u.begin : p.piece);
  return u;
}

// C's element `at` of a row.
template <class T, class S>
PT_DEVICE S finished(const Product& p, int group, unsigned row, int64_t at, S v) {
  return finished<T, S>(p.finish, int64_t{group} * p.m + row, at, v);
}

// For finish_tile.
template <class T, class S>
struct ProductFinish {
  const Product& p;
  const ProductUnit& u;

  PT_DEVICE void operator()(int row, int column, const Pack<S, 4>& sums) const {
    const unsigned m = u.m0 + static_cast<unsigned>(row);
    const unsigned n = u.n0 + static_cast<unsigned>(column);
    if (m >= p.m || n >= p.n) return;
    if (p.pieces > 1) {
      S* to = static_cast<S*>(p.partial) +
              ((int64_t{u.piece} * p.groups + u.group) * p.m + m) * p.n + n;
      if (p.n % 4 == 0) {
        *reinterpret_cast<Pack<S, 4>*>(to) = sums;
      } else {
        PT_UNROLL
        for (unsigned j = 0; j < 4; ++j)
          if (n + j < p.n) to[j] = sums.v[j];
      }
      return;
    }
    const int64_t start = u.group * p.c_group + m * p.c_row;
    if (p.c_packs) {
      const int64_t at = start + result_of(p.columns, n);
      Pack<T, 4> out;
      PT_UNROLL
      for (int j = 0; j < 4; ++j) put<T>(&out, j, finished<T, S>(p, u.group, m, at + j, sums.v[j]));
      *reinterpret_cast<Pack<T, 4>*>(static_cast<T*>(p.c) + at) = out;
      return;
    }
    PT_UNROLL
    for (unsigned j = 0; j < 4; ++j) {
      if (n + j >= p.n) continue;
      const int64_t at = start + result_of(p.columns, n + j);
      put<T>(p.c, at, finished<T, S>(p, u.group, m, at, sums.v[j]));
    }
  }
};

template <class T, class S>
__global__ void __launch_bounds__(256) merge_products_kernel(Product p) {
  const int64_t all = int64_t{p.m} * p.n * p.groups, step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < all; i += step) {
    double sum = 0;
    for (unsigned piece = 0; piece < p.pieces; ++piece)
      sum += static_cast<double>(static_cast<const S*>(p.partial)[piece * all + i]);
    const int64_t line = i / p.n;
    const unsigned m = static_cast<unsigned>(line % p.m), n = static_cast<unsigned>(i % p.n);
    const int group = static_cast<int>(line / p.m);
    const int64_t at = group * p.c_group + m * p.c_row + result_of(p.columns, n);
    put<T>(p.c, at, finished<T, S>(p, group, m, at, static_cast<S>(sum)));
  }
}

// How the terms are cut: enough blocks for a large device, and sums of bounded length.
inline void cut_terms(Product& p, int64_t tiles, int64_t longest, int64_t slice) {
  constexpr int64_t kBlocks = 512, kLeast = 256;
  int64_t pieces = (int64_t{p.k} + longest - 1) / longest;
  if (tiles * pieces < kBlocks / 2) {
    const int64_t wanted = kBlocks / tiles, possible = p.k / kLeast;
    const int64_t more = wanted < possible ? wanted : possible;
    if (more > pieces) pieces = more;
  }
  if (pieces < 1) pieces = 1;
  const int64_t piece = (p.k + pieces - 1) / pieces;
  p.piece = static_cast<unsigned>((piece + slice - 1) / slice * slice);
  p.pieces = (p.k + p.piece - 1) / p.piece;
}

template <class Math>
int64_t product_tiles(const Product& p) {
  return (int64_t{p.m} + Math::kRows - 1) / Math::kRows *
         ((int64_t{p.n} + Math::kColumns - 1) / Math::kColumns) * p.groups;
}
// Tall and wide tiles read less, where there are enough of them.
inline bool enough_large_tiles(const Product& p) {
  return p.m > 64 && p.n > 64 &&
         (int64_t{p.m} + 127) / 128 * ((int64_t{p.n} + 127) / 128) * p.groups >= 128;
}

// Cuts the terms, calls launch(product, blocks), and adds up the pieces. T is C's type, S that of
// the sums.
template <class T, class S, class Math, class Launch>
void run_product(Product p, int64_t longest, const Launch& launch) {
  const int64_t tiles = product_tiles<Math>(p);
  cut_terms(p, tiles, longest, Math::kSlice);
  const Scratch partial(p.pieces > 1 ? sizeof(S) * p.pieces * p.groups * int64_t{p.m} * p.n : 0);
  if (p.pieces > 1 && !partial) return;
  p.partial = partial.as<void>();
  p.units = tiles * p.pieces;
  const int64_t units = p.units;
  launch(p, static_cast<unsigned>(units < (1 << 30) ? units : 1 << 30));
  if (p.pieces > 1)
    PT_LAUNCH((merge_products_kernel<T, S>), blocks_for(int64_t{p.m} * p.n * p.groups, 256), 256, 0,
              p);
}

}  // namespace pt::cuda
