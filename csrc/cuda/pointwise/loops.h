// The loops that run a functor (ops/functors) on a device, and what turns one into rows of the
// table. Used by the .cu files of this folder alone.
//
// Two loops for most functors and compute types: packs of up to 16 bytes where every operand is
// dense and of the kernel's type, and one element at a time through strides and conversions
// otherwise. Indices have 32 bits: calls are cut accordingly (op/device_plan.h). Outputs may be
// inputs.
#pragma once

#include <utility>

#include "cpu/pointwise_rows.h"
#include "cuda/args/pointwise_args.h"
#include "cuda/divider.h"
#include "cuda/pointwise/convert.h"
#include "cuda/registry.h"
#include "ops/functors/functor.h"

namespace pt::device {

using cuda::Divider;
using cuda::load_as;
using cuda::Pack;
using cuda::store_as;

inline constexpr int kThreads = 256;

// A file of long functors defines PT_LONG(T), T being the first input's type. They get the strided
// loop alone, which is not slower for them: the other would hold four copies of the functor.
#ifndef PT_LONG
#define PT_LONG(T) false
#endif

// Loops convert what they load and store, so that no kernel is compiled for bfloat16.
#define PT_BFLOAT16_SLOT(arity, F) nullptr

// --- dense ---------------------------------------------------------------------------------------

template <int kInputs>
struct DenseCall {
  uint32_t n;
  void* out;
  const void* in[kInputs];  // null: a number
  alignas(8) unsigned char value[kInputs][8];
};

template <class T>
PT_DEVICE T number_of(const unsigned char* value) {
  T v;
  memcpy(&v, value, sizeof v);
  return v;
}

// Elements from i * kWidth on, of which there are `left`: what is beyond the last is the first
// again.
template <int kWidth, class T>
PT_DEVICE Pack<T, kWidth> load_pack(const void* in, const unsigned char* value, uint32_t i,
                                    uint32_t left) {
  if (in && left >= kWidth) return static_cast<const Pack<T, kWidth>*>(in)[i];
  Pack<T, kWidth> p;
  const T v = in ? static_cast<const T*>(in)[i * kWidth] : number_of<T>(value);
  PT_UNROLL
  for (int j = 0; j < kWidth; ++j) p.v[j] = v;
  if (!in) return p;
  PT_UNROLL
  for (uint32_t j = 1; j < kWidth; ++j)
    if (j < left) p.v[j] = static_cast<const T*>(in)[i * kWidth + j];
  return p;
}

template <class... T>
constexpr int pack_width() {
  size_t largest = 1;
  ((largest = sizeof(T) > largest ? sizeof(T) : largest), ...);
  return static_cast<int>(16 / largest);
}

// Plain function templates with the packs as parameters: CUDA's compiler does not expand packs in
// nested lambdas.
template <class F, class Out, int kWidth, class... In>
PT_DEVICE Pack<Out, kWidth> apply_pack(const Pack<In, kWidth>&... in) {
  Pack<Out, kWidth> out;
  PT_UNROLL
  for (int j = 0; j < kWidth; ++j) out.v[j] = F{}(in.v[j]...);
  return out;
}

template <class F, class Out, int kWidth, class... In, size_t... I>
PT_DEVICE void dense_step(const DenseCall<sizeof...(In)>& c, uint32_t i,
                          std::index_sequence<I...>) {
  const uint32_t left = c.n - i * kWidth;
  const Pack<Out, kWidth> out =
      apply_pack<F, Out, kWidth, In...>(load_pack<kWidth, In>(c.in[I], c.value[I], i, left)...);
  if (left >= kWidth) {
    static_cast<Pack<Out, kWidth>*>(c.out)[i] = out;
    return;
  }
  PT_UNROLL
  for (uint32_t j = 0; j < kWidth; ++j)
    if (j < left) static_cast<Out*>(c.out)[i * kWidth + j] = out.v[j];
}

template <class F, class Out, class... In>
__global__ void __launch_bounds__(kThreads) dense_kernel(DenseCall<sizeof...(In)> c) {
  constexpr uint32_t width = pack_width<Out, In...>();
  const uint32_t packs = c.n / width + (c.n % width != 0), step = gridDim.x * blockDim.x;
  constexpr auto indices = std::index_sequence_for<In...>{};
  PT_UNROLL_BY(1)
  for (uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < packs; i += step)
    dense_step<F, Out, width, In...>(c, i, indices);
}

// --- strided -------------------------------------------------------------------------------------

template <int kOperands>
struct StridedCall {
  uint32_t n;
  int ndim;
  Divider sizes[kDeviceDims];
  DeviceOperand operands[kOperands];
};

template <class T>
PT_DEVICE T load_operand(const DeviceOperand& o, int64_t offset) {
  return o.data ? load_as<T>(o.data + offset, o.dtype) : number_of<T>(o.value);
}

template <int kOperands>
PT_DEVICE void offsets_of(const StridedCall<kOperands>& c, uint32_t i, int64_t* offsets) {
  PT_UNROLL
  for (int k = 0; k < kOperands; ++k) offsets[k] = 0;
  PT_UNROLL_BY(1)
  for (int d = 0; d < c.ndim; ++d) {
    const uint32_t next = c.sizes[d].divide(i);
    const int64_t at = i - next * c.sizes[d].divisor;
    PT_UNROLL
    for (int k = 0; k < kOperands; ++k) offsets[k] += at * c.operands[k].strides[d];
    i = next;
  }
}

template <class F, class Out, class... In, size_t... I>
PT_DEVICE Out strided_value(const DeviceOperand* operands, const int64_t* offsets,
                            std::index_sequence<I...>) {
  return F{}(load_operand<In>(operands[I + 1], offsets[I + 1])...);
}

template <class F, class Out, class... In>
__global__ void __launch_bounds__(kThreads) strided_kernel(StridedCall<sizeof...(In) + 1> c) {
  const uint32_t step = gridDim.x * blockDim.x;
  PT_UNROLL_BY(1)
  for (uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < c.n; i += step) {
    int64_t offsets[sizeof...(In) + 1];
    offsets_of(c, i, offsets);
    const Out v =
        strided_value<F, Out, In...>(c.operands, offsets, std::index_sequence_for<In...>{});
    store_as<Out>(c.operands[0].data + offsets[0], c.operands[0].dtype, v);
  }
}

template <int kOperands>
StridedCall<kOperands> strided_call(const DevicePointwise& p) {
  StridedCall<kOperands> c;
  c.n = static_cast<uint32_t>(p.n);
  c.ndim = p.ndim;
  for (int d = 0; d < p.ndim; ++d) c.sizes[d] = Divider(p.sizes[d]);
  for (int k = 0; k < kOperands; ++k) c.operands[k] = p.operands[k];
  return c;
}

// --- the kernel of a functor -------------------------------------------------------------------

// The dtypes in memory that a compute type of the dense loop stands for.
template <class T>
constexpr bool is_memory_of(DType t) {
  if constexpr (std::is_same_v<T, uint8_t>) {
    return t == DType::kUInt8 || t == DType::kBool || t == DType::kInt8;
  } else {
    return t == dtype_of<T>;
  }
}

template <class F, class Out, class... In>
void run_strided(const DevicePointwise& p) {
  PT_LAUNCH((strided_kernel<F, Out, In...>), cuda::blocks_for(p.n, kThreads), kThreads, 0,
            strided_call<static_cast<int>(sizeof...(In)) + 1>(p));
}

// Whether every operand is dense, of the kernel's type and aligned: then the kernel runs.
template <class F, class Out, class... In>
bool run_dense(const DevicePointwise& p) {
  constexpr int inputs = sizeof...(In);
  constexpr int width = pack_width<Out, In...>();
  bool dense = p.dense && is_memory_of<Out>(p.operands[0].dtype) &&
               cuda::aligned(p.operands[0].data, sizeof(Out) * width);
  DenseCall<inputs> c;
  c.n = static_cast<uint32_t>(p.n);
  c.out = p.operands[0].data;
  int k = 0;
  const auto take = [&]<class T>(T) {
    const DeviceOperand& o = p.operands[k + 1];
    dense = dense &&
            (!o.data || (is_memory_of<T>(o.dtype) && cuda::aligned(o.data, sizeof(T) * width)));
    c.in[k] = o.data;
    memcpy(c.value[k], o.value, sizeof o.value);
    ++k;
  };
  (take(In{}), ...);
  if (dense)
    PT_LAUNCH((dense_kernel<F, Out, In...>), cuda::blocks_for((p.n + width - 1) / width, kThreads),
              kThreads, 0, c);
  return dense;
}

template <class F, class Out, class First, class... Rest>
void run_functor(const DevicePointwise& p) {
  if constexpr (PT_LONG(First)) {
    run_strided<F, Out, First, Rest...>(p);
  } else if (!run_dense<F, Out, First, Rest...>(p)) {
    run_strided<F, Out, First, Rest...>(p);
  }
}

// Input i of functor F at compute type T.
template <class F, class T, size_t i>
constexpr auto input_type() {
  if constexpr (requires { F::kBoolInput; }) {
    return std::conditional_t<F::kBoolInput == static_cast<int>(i), Bool8, T>{};
  } else {
    return T{};
  }
}

template <int kArity, class F, class T, class = std::make_index_sequence<kArity>>
struct Pointwise;
template <int kArity, class F, class T, size_t... I>
struct Pointwise<kArity, F, T, std::index_sequence<I...>> {
  using Out = decltype(F{}(input_type<F, T, I>()...));
  static constexpr bool kBoolOutput = sizeof(Out) != sizeof(T);
  static void run(const DevicePointwise& p) {
    run_functor<F, Out, decltype(input_type<F, T, I>())...>(p);
  }
};

template <class F>
inline constexpr uint8_t kBoolInputs = 0;
template <class F>
  requires(F::kBoolInput >= 0)
inline constexpr uint8_t kBoolInputs<F> = 1u << F::kBoolInput;

}  // namespace pt::device
