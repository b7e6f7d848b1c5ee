// Copies between strided tensors of any dtypes, and fills: "device_copy" of
// cuda/args/pointwise_args.h.
#include "cuda/pointwise/loops.h"

namespace pt::device {
namespace {

struct Same {
  template <class T>
  PT_INLINE T operator()(T v) const {
    return v;
  }
};

// Elements of one dtype move as unsigned integers of their size.
template <class T>
__global__ void __launch_bounds__(kThreads) move_kernel(StridedCall<2> c) {
  const uint32_t step = gridDim.x * blockDim.x;
  PT_UNROLL_BY(1)
  for (uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < c.n; i += step) {
    int64_t offsets[2];
    offsets_of(c, i, offsets);
    const T v = c.operands[1].data ? *reinterpret_cast<const T*>(c.operands[1].data + offsets[1])
                                   : number_of<T>(c.operands[1].value);
    *reinterpret_cast<T*>(c.operands[0].data + offsets[0]) = v;
  }
}
template <class T>
__global__ void __launch_bounds__(kThreads) convert_kernel(StridedCall<2> c) {
  const uint32_t step = gridDim.x * blockDim.x;
  PT_UNROLL_BY(1)
  for (uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < c.n; i += step) {
    int64_t offsets[2];
    offsets_of(c, i, offsets);
    *reinterpret_cast<T*>(c.operands[0].data + offsets[0]) =
        load_as<T>(c.operands[1].data + offsets[1], c.operands[1].dtype);
  }
}

template <class Bits>
void move(const DevicePointwise& p) {
  constexpr int width = pack_width<Bits>();
  const DeviceOperand &to = p.operands[0], &from = p.operands[1];
  if (p.dense && cuda::aligned(to.data, 16) && cuda::aligned(from.data, 16)) {
    DenseCall<1> c{static_cast<uint32_t>(p.n), to.data, {from.data}, {}};
    memcpy(c.value[0], from.value, sizeof from.value);
    PT_LAUNCH((dense_kernel<Same, Bits, Bits>),
              cuda::blocks_for((p.n + width - 1) / width, kThreads), kThreads, 0, c);
  } else {
    PT_LAUNCH((move_kernel<Bits>), cuda::blocks_for(p.n, kThreads), kThreads, 0,
              strided_call<2>(p));
  }
}

template <class T>
using BitsOf =
    std::conditional_t<sizeof(T) == 1, uint8_t,
                       std::conditional_t<sizeof(T) == 2, uint16_t,
                                          std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>>;

template <class T>
void copy(const DevicePointwise& p) {
  if (p.operands[0].dtype == p.operands[1].dtype) {
    move<BitsOf<T>>(p);
  } else {
    PT_LAUNCH((convert_kernel<T>), cuda::blocks_for(p.n, kThreads), kThreads, 0,
              strided_call<2>(p));
  }
}

const KernelEntry kernels[] = {{"device_copy", {PT_ALL_SLOTS(copy)}}};
PT_REGISTER_DEVICE_KERNELS(kernels)

}  // namespace
}  // namespace pt::device
