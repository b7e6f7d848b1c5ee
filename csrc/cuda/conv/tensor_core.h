// Convolutions on tensor cores, as products whose columns are read from an image. Included by a
// file for each type.
#pragma once

#include "cuda/conv/loaders.h"
#include "cuda/conv/products.h"
#include "cuda/gemm/main_loop.h"

namespace pt::cuda {

template <class T, int kTile>
using ConvTensorCore = TensorCore<T, kTile, true, sizeof(T) == 2, kTile == 128 ? 2 : 3>;

template <class T, int kTile>
__global__ void __launch_bounds__(128, kTile == 128 ? 2 : 4) conv_tensor_core_kernel(Product p) {
  using Math = ConvTensorCore<T, kTile>;
  using Chunk = typename Math::Chunk;
  PT_SHARED(Chunk, memory, [Math::kShared]);
  PT_SHARED(Place, terms, [2 * Math::kSlice]);
  PT_SHARED(ProductUnit, of_block, [1]);  // here, as registers are few
  const ProductUnit& u = of_block[0];
  for (int64_t unit = blockIdx.x; unit < p.units; unit += gridDim.x) {
    __syncthreads();
    if (threadIdx.x == 0) of_block[0] = product_unit<Math>(p, unit);
    __syncthreads();
    Math math(memory);
    TensorProductLoader<Math> loader(p, u, terms, memory);
    multiply<Math::kStages>(loader, math, (u.terms + Math::kSlice - 1) / Math::kSlice);
    finish_tile(math, reinterpret_cast<float*>(memory), ProductFinish<T, float>{p, u});
  }
}

template <class T, int kTile>
void run_tensor_core_product(const Product& p, int64_t longest) {
  using Math = ConvTensorCore<T, kTile>;
  run_product<T, float, Math>(p, longest, [](const Product& product, unsigned blocks) {
    PT_LAUNCH((conv_tensor_core_kernel<T, kTile>), blocks, Math::kThreads, 0, product);
  });
}

template <class T>
void tensor_core_product(const Product& p, int64_t longest) {
  if (enough_large_tiles(p)) {
    run_tensor_core_product<T, 128>(p, longest);
  } else {
    run_tensor_core_product<T, 64>(p, longest);
  }
}

}  // namespace pt::cuda
