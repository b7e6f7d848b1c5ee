// Convolutions and their gradients: conv_forward, conv_input_gradient and conv_weight_gradient of
// cpu/conv_args.h, as matrix products that share their main loop with gemm.cu: on the ordinary
// units for float and double, on tensor cores (tensor_core.h) for half types and for float that may
// be rounded. Those of 1x1 are plain products. Depthwise ones, and any whose sizes are too large
// for the product's indices, are done element by element. cuDNN does all others where it is
// installed.
#include "cuda/conv/direct.h"
#include "cuda/conv/loaders.h"
#include "cuda/conv/products.h"
#include "cuda/gemm/ffma.h"
#include "cuda/gemm/gemm.h"
#include "cuda/gemm/main_loop.h"
#include "cuda/libraries/conv.h"

namespace pt::cuda {
namespace {

bool depthwise(const ConvArgs& a) {
  return a.in_channels == 1 && a.out_channels <= 4 && a.groups > 1;
}

template <class T, class Math>
__global__ void __launch_bounds__(Math::kThreads, Math::kThreads == 256 ? 2 : 4)
    product_kernel(Product p) {
  using Four = Pack<T, 4>;
  PT_SHARED(Four, memory, [Math::kShared / 4]);
  PT_SHARED(Place, terms, [2 * Math::kSlice]);
  PT_SHARED(ProductUnit, of_block, [1]);  // here, as registers are few
  T* shared = reinterpret_cast<T*>(memory);
  const ProductUnit& u = of_block[0];
  for (int64_t unit = blockIdx.x; unit < p.units; unit += gridDim.x) {
    __syncthreads();
    if (threadIdx.x == 0) of_block[0] = product_unit<Math>(p, unit);
    __syncthreads();
    Math math(shared);
    FfmaProductLoader<T, Math> loader(p, u, terms, shared);
    multiply<Math::kStages>(loader, math, (u.terms + Math::kSlice - 1) / Math::kSlice);
    finish_tile(math, shared, ProductFinish<T, T>{p, u});
  }
}

template <class T, class Math>
void ffma_product(const Product& p, int64_t longest) {
  run_product<T, T, Math>(p, longest, [](const Product& product, unsigned blocks) {
    PT_LAUNCH((product_kernel<T, Math>), blocks, Math::kThreads, 0, product);
  });
}

template <class T>
void run(const ConvArgs& a, const Product& p, int64_t longest) {
  if constexpr (std::is_same_v<T, double>) {
    ffma_product<T, DoubleFfma>(p, longest);
  } else if (sizeof(T) == 2 || a.tf32) {
    tensor_core_product<T>(p, longest);
  } else if constexpr (std::is_same_v<T, float>) {
    if (enough_large_tiles(p)) {
      ffma_product<T, LargeFfma>(p, longest);
    } else {
      ffma_product<T, SmallFfma>(p, longest);
    }
  }
}

template <class T>
void conv_forward(const ConvArgs& a) {
  const bool small = small_sizes(a);
  if (depthwise(a) || !small) return direct_forward<T>(a, small);
  if (library_conv(ConvWork::kForward, dtype_of<T>, a)) return;
  if (pointwise<T>(a)) return gemm_of<T>(pointwise_gemm(a, a.input, a.output, true));
  run<T>(a, forward_product<T>(a), kUnbounded);
}

template <class T>
void conv_input_gradient(const ConvArgs& a) {
  const bool small = small_sizes(a);
  if (depthwise(a) || !small) return direct_input_gradient<T>(a, small);
  if (library_conv(ConvWork::kInputGradient, dtype_of<T>, a)) return;
  if (pointwise<T>(a)) return gemm_of<T>(pointwise_gemm(a, a.output, a.input, false));
  run<T>(a, input_gradient_product<T>(a), kUnbounded);
}

template <class T>
void conv_weight_gradient(const ConvArgs& a) {
  const bool small = small_sizes(a);
  if (depthwise(a) || !small) return direct_weight_gradient<T>(a, small);
  if (library_conv(ConvWork::kWeightGradient, dtype_of<T>, a)) return;
  run<T>(a, weight_gradient_product<T>(a), kLongestSum);
}

template <class T>
void integer_forward(const ConvArgs& a) {
  direct_forward<T>(a, false);
}
template <class T>
void integer_input_gradient(const ConvArgs& a) {
  direct_input_gradient<T>(a, false);
}

#define PT_CONV_SLOTS(f, integers)                                               \
  nullptr, PT_INTEGER_SLOTS(integers), PT_HALF_SLOTS(f), PT_DEVICE_FN(f<float>), \
      PT_DEVICE_FN(f<double>)
const KernelEntry kEntries[] = {
    {"conv_forward", {PT_CONV_SLOTS(conv_forward, integer_forward)}},
    {"conv_input_gradient", {PT_CONV_SLOTS(conv_input_gradient, integer_input_gradient)}},
    {"conv_weight_gradient", {PT_FLOAT_SLOTS(conv_weight_gradient)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
