// How a convolution's operands come to the slices of the main loop (gemm/main_loop.h). What the
// terms of a slice stand for is worked out once for the block, a slice ahead; a thread fetches
// terms of one column of the image.
#pragma once

#include "cuda/conv/product.h"
#include "cuda/gemm/tensor_math.h"

namespace pt::cuda {

// What both ways to compute share. `terms` is shared memory for two slices.
template <class T, class Math>
struct ProductLoader {
  static constexpr bool kPrepares = true;
  static constexpr int kSlice = Math::kSlice, kThreads = Math::kThreads;
  const Product& p;
  Place* terms;
  const T* a;      // the tile's first row
  const T* image;  // of the group
  unsigned begin;
  int count, rows;  // terms, and rows of the tile that exist
  int z, y, x;      // of this thread's column
  int64_t in_image;

  PT_DEVICE ProductLoader(const Product& product, const ProductUnit& u, Place* memory)
      : p(product),
        terms(memory),
        a(static_cast<const T*>(p.a) + u.group * p.a_group + u.m0 * p.a_row),
        image(static_cast<const T*>(p.image) + u.group * p.image_group),
        begin(u.begin),
        count(u.terms),
        rows(static_cast<int>(p.m - u.m0 < Math::kRows ? p.m - u.m0 : Math::kRows)) {
    const unsigned n = u.n0 + threadIdx.x % Math::kColumns;
    const Place column = place_of(p, p.columns, n < p.n ? n : 0);
    z = n < p.n ? column.z : kOutside, y = column.y, x = column.x;
    in_image = column.image;
  }

  PT_DEVICE void prepare(int slice) {
    const int own = static_cast<int>(threadIdx.x);
    if (own >= kSlice) return;
    const int at = slice * kSlice + own;
    Place term = place_of(p, p.terms, begin + static_cast<unsigned>(at < count ? at : count - 1));
    if (at >= count) term.z = kOutside;
    terms[slice % 2 * kSlice + own] = term;
  }
  PT_DEVICE const Place* terms_of(int slice) const { return terms + slice % 2 * kSlice; }
  // Where the term is in this thread's column, or -1.
  PT_DEVICE int64_t offset(const Place& term) const {
    return image_offset(p, in_image + term.image, z + term.z, y + term.y, x + term.x);
  }
};

// For Ffma: both operands element by element, each put into its place.
template <class T, class Math>
struct FfmaProductLoader : ProductLoader<T, Math> {
  using Base = ProductLoader<T, Math>;
  T* shared;

  PT_DEVICE FfmaProductLoader(const Product& product, const ProductUnit& u, Place* memory, T* slots)
      : Base(product, u, memory), shared(slots) {}

  PT_DEVICE void fetch(int slice, int slot) {
    constexpr int kSlice = Math::kSlice, kThreads = Math::kThreads, kSize = sizeof(T);
    const Place* terms = this->terms_of(slice);
    const int thread = static_cast<int>(threadIdx.x), left = this->count - slice * kSlice;
    {
      constexpr int kStep = kThreads / kSlice;
      const int k = thread % kSlice, row = thread / kSlice;
      T* to = Math::slot_a(shared, slot) + k * Math::kRowStride + row;
      const T* from = this->a + row * this->p.a_row + terms[k].other;
      PT_KEEP_LOOP
      for (int e = 0; e < Math::kRows / kStep; ++e)
        async_copy<kSize>(to + e * kStep, from + e * kStep * this->p.a_row,
                          k < left && row + e * kStep < this->rows ? kSize : 0);
    }
    constexpr int kStep = kThreads / Math::kColumns;
    const int first = thread / Math::kColumns;
    T* to = Math::slot_b(shared, slot) + first * Math::kColumnStride + thread % Math::kColumns;
    PT_UNROLL
    for (int e = 0; e < kSlice / kStep; ++e) {
      const int64_t at = this->offset(terms[first + e * kStep]);
      async_copy<kSize>(to + e * kStep * Math::kColumnStride, this->image + (at < 0 ? 0 : at),
                        at < 0 ? 0 : kSize);
    }
  }
  PT_DEVICE void put_down(int) {}
};

// For TensorCore with A along the terms. The image's columns of half types lie along the terms,
// too, and wait in registers while a slice is computed with; float's lie along the columns.
template <class Math>
struct TensorProductLoader : ProductLoader<typename Math::T, Math> {
  using T = typename Math::T;
  using Base = ProductLoader<T, Math>;
  using Chunk = typename Math::Chunk;
  static constexpr int kPer = Math::kPer, kTile = Math::kRows;
  static constexpr int kChunkStep = Math::kThreads / kTile, kChunks = 4 / kChunkStep;
  Chunk* shared;
  uint16_t kept[sizeof(T) == 2 ? kChunks : 1][kPer];

  PT_DEVICE TensorProductLoader(const Product& product, const ProductUnit& u, Place* memory,
                                Chunk* slots)
      : Base(product, u, memory), shared(slots) {}

  PT_DEVICE void fetch_rows(const Place* terms, int left, int slot) {
    const int thread = static_cast<int>(threadIdx.x), chunk = thread % 4, row = thread / 4;
    constexpr int kStep = Math::kThreads / 4;
    const Place* own = terms + chunk * kPer;
    const int there = left - chunk * kPer;
    PT_KEEP_LOOP
    for (int e = 0; e < kTile / kStep; ++e) {
      const int at = row + e * kStep;
      const T* from = this->a + at * this->p.a_row;
      Chunk* to = Math::slot_a(shared, slot) + chunk_place<T, kTile, true>(at, chunk);
      const bool inside = at < this->rows;
      if (this->p.a_packs) {
        const bool valid = inside && there > 0;  // terms behind the last are not aligned
        async_copy<16>(to, valid ? from + own[0].other : this->a, valid ? 16 : 0);
      } else if constexpr (sizeof(T) == 4) {
        PT_UNROLL
        for (int j = 0; j < kPer; ++j)
          async_copy<4>(reinterpret_cast<T*>(to) + j, from + own[j].other,
                        inside && j < there ? 4 : 0);
      } else {
        Chunk both;
        PT_UNROLL
        for (int j = 0; j < kPer; j += 2) {
          const uint32_t low = inside && j < there ? from[own[j].other].bits : 0;
          const uint32_t high = inside && j + 1 < there ? from[own[j + 1].other].bits : 0;
          both.v[j / 2] = low | high << 16;
        }
        *to = both;
      }
    }
  }

  PT_DEVICE void fetch(int slice, int slot) {
    const Place* terms = this->terms_of(slice);
    const int thread = static_cast<int>(threadIdx.x), left = this->count - slice * Math::kSlice;
    if constexpr (sizeof(T) == 2) {
      PT_UNROLL
      for (int e = 0; e < kChunks; ++e) PT_UNROLL
      for (int j = 0; j < kPer; ++j) {
        const int k = (thread / kTile + e * kChunkStep) * kPer + j;
        const int64_t at = this->offset(terms[k]);
        kept[e][j] = at < 0 ? uint16_t{0} : this->image[at].bits;
      }
    } else {
      T* to = reinterpret_cast<T*>(Math::slot_b(shared, slot));
      const int column = thread % kTile;
      PT_KEEP_LOOP
      for (int first = thread / kTile; first < Math::kSlice; first += 4 * kChunkStep) PT_UNROLL
      for (int e = 0; e < 4; ++e) {
        const int k = first + e * kChunkStep;
        const int64_t at = this->offset(terms[k]);
        async_copy<4>(to + chunk_place<T, kTile, false>(k, column / 4) * 4 + column % 4,
                      this->image + (at < 0 ? 0 : at), at < 0 ? 0 : 4);
      }
    }
    fetch_rows(terms, left, slot);
  }
  PT_DEVICE void put_down(int slot) {
    if constexpr (sizeof(T) == 2) {
      const int thread = static_cast<int>(threadIdx.x);
      PT_UNROLL
      for (int e = 0; e < kChunks; ++e) {
        Chunk both;
        PT_UNROLL
        for (int j = 0; j < kPer; j += 2)
          both.v[j / 2] = kept[e][j] | uint32_t{kept[e][j + 1]} << 16;
        Math::slot_b(
            shared,
            slot)[chunk_place<T, kTile, true>(thread % kTile, thread / kTile + e * kChunkStep)] =
            both;
      }
    }
  }
};

}  // namespace pt::cuda
