// The loop behind matrix products and convolutions: slices of both operands travel to shared memory
// some stages ahead of the one that is computed with, and the sums leave through shared memory.
//
//   struct Math {                            // ffma.h, tensor_math.h
//     using Sum; kRows, kColumns, kThreads;    // a block's tile of the result
//     void step(int slot);                     // adds the products of a slice
//     kParts, kPartRows, kPartStride;          // the tile leaves in parts
//     void put(Sum* part_tile, int part);      // this thread's sums of a part
//     static int tile_row(int part, int row);  // where a row of a part lies in the tile
//   };
//   struct Loader {                          // operands.h, tensor_operands.h, ../conv/
//     void prepare(int slice);            // anything that threads share for fetch, a step ahead
//     kPrepares;                               // whether it does something
//     void fetch(int slice, int slot);      // starts to bring a slice
//     void put_down(int slot);                 // what fetch kept in registers
//   };
#pragma once

#include "cuda/pt_cuda.h"

namespace pt::cuda {

template <int kStages, class Loader, class Math>
PT_DEVICE void multiply(Loader& loader, Math& math, int slices) {
  __syncthreads();  // shared memory may still be read
  for (int s = 0; s < kStages - 1; ++s) {
    if constexpr (Loader::kPrepares) {
      loader.prepare(s);
      __syncthreads();
    }
    if (s < slices) {
      loader.fetch(s, s);
      loader.put_down(s);
    }
    async_commit();
  }
  if constexpr (Loader::kPrepares) loader.prepare(kStages - 1);
  int now = 0, next = kStages - 1;
  for (int slice = 0; slice < slices; ++slice) {
    async_wait<kStages - 2>();
    __syncthreads();  // the slice has arrived for all, and nobody computes with `next` any more
    const int coming = slice + kStages - 1;
    const bool more = coming < slices;
    if (more) loader.fetch(coming, next);
    async_commit();
    if constexpr (Loader::kPrepares) {
      if (more) loader.prepare(coming + 1);
    }
    math.step(now);
    if (more) loader.put_down(next);
    now = now + 1 == kStages ? 0 : now + 1;
    next = next + 1 == kStages ? 0 : next + 1;
  }
  async_wait<0>();
}

// Hands the sums to finish(row, column, Pack<Sum, 4>): neighbouring threads, neighbouring columns.
template <class Math, class Finish>
PT_DEVICE void finish_tile(Math& math, typename Math::Sum* part_tile, const Finish& finish) {
  using Four = Pack<typename Math::Sum, 4>;
  constexpr int kAcross = Math::kColumns / 4;
  PT_UNROLL
  for (int part = 0; part < Math::kParts; ++part) {
    __syncthreads();
    math.put(part_tile, part);
    __syncthreads();
    PT_KEEP_LOOP
    for (int e = static_cast<int>(threadIdx.x); e < Math::kPartRows * kAcross;
         e += Math::kThreads) {
      const int row = e / kAcross, column = e % kAcross * 4;
      finish(Math::tile_row(part, row), column,
             *reinterpret_cast<const Four*>(part_tile + row * Math::kPartStride + column));
    }
  }
}

}  // namespace pt::cuda
