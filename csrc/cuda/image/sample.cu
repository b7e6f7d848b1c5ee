// Weighted sums of elements named by place, and their gradients: see cpu/image_args.h. A thread
// makes one element of the result and takes its summands in order.
#include "cuda/args/image_args.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;

PT_DEVICE bool inside(int32_t place, int64_t size) {
  return static_cast<uint32_t>(place) < static_cast<uint64_t>(size);
}

template <class T>
__global__ void __launch_bounds__(kThreads) sample_kernel(SampleArgs a) {
  using L = Compute<T>;
  const int64_t step = int64_t{gridDim.x} * blockDim.x, count = a.batch * a.channels * a.points;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t plane = i / a.points, point = i % a.points;
    const T* in = static_cast<const T*>(a.in) + plane * a.in_size;
    const int64_t first = plane / a.channels * a.taps * a.points + point;
    L sum = 0;
    for (int64_t k = 0; k < a.taps; ++k) {
      const int64_t at = first + k * a.points;
      const int32_t place = a.places[at];
      if (inside(place, a.in_size))
        sum += static_cast<const L*>(a.weights)[at] * static_cast<L>(in[place]);
    }
    put<T>(a.out, i, sum);
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) dot_kernel(SampleArgs a) {
  using L = Compute<T>;
  const int64_t step = int64_t{gridDim.x} * blockDim.x, count = a.batch * a.taps * a.points;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t batch = i / a.points / a.taps, point = i % a.points;
    const int32_t place = a.places[i];
    L sum = 0;
    if (inside(place, a.in_size)) {
      for (int64_t c = 0; c < a.channels; ++c) {
        const int64_t plane = batch * a.channels + c;
        sum += static_cast<L>(static_cast<const T*>(a.out)[plane * a.points + point]) *
               static_cast<L>(static_cast<const T*>(a.in)[plane * a.in_size + place]);
      }
    }
    static_cast<L*>(a.weights)[i] = sum;
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) add_kernel(DeviceSampleAdd d) {
  using L = Compute<T>;
  const SampleArgs& a = d.sample;
  const int64_t step = int64_t{gridDim.x} * blockDim.x, count = a.batch * a.channels * a.in_size;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t plane = i / a.in_size, place = plane / a.channels * a.in_size + i % a.in_size;
    const T* grad = static_cast<const T*>(a.out) + plane * a.points;
    L sum = 0;
    for (int64_t k = d.starts[place]; k < d.starts[place + 1]; ++k) {
      const int64_t entry = d.order[k];
      sum += static_cast<const L*>(a.weights)[entry] * static_cast<L>(grad[entry % a.points]);
    }
    put<T>(a.in, i, sum);
  }
}

template <class T>
void sample(const SampleArgs& a) {
  PT_LAUNCH((sample_kernel<T>), blocks_for(a.batch * a.channels * a.points, kThreads), kThreads, 0,
            a);
}
template <class T>
void dot(const SampleArgs& a) {
  PT_LAUNCH((dot_kernel<T>), blocks_for(a.batch * a.taps * a.points, kThreads), kThreads, 0, a);
}
template <class T>
void add(const DeviceSampleAdd& d) {
  const SampleArgs& a = d.sample;
  PT_LAUNCH((add_kernel<T>), blocks_for(a.batch * a.channels * a.in_size, kThreads), kThreads, 0,
            d);
}

const KernelEntry kEntries[] = {
    {"sample", {PT_FLOAT_SLOTS(sample)}},
    {"sample_dot", {PT_FLOAT_SLOTS(dot)}},
    {"device_sample_add", {PT_FLOAT_SLOTS(add)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
