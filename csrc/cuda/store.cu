// Bytes of the host that travel as arguments of launches: store() of core/device_api.h. A copy from
// pageable memory would wait for the stream, and a graph would read that memory again.
#include <cstring>

#include "cuda/runtime/runtime.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 128;

template <int kBytes>
struct Carried {
  alignas(8) unsigned char bytes[kBytes];
};

template <int kBytes>
__global__ void __launch_bounds__(kThreads)
    store_kernel(unsigned char* to, Carried<kBytes> from, int count) {
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kThreads) to[i] = from.bytes[i];
}

template <int kBytes>
void launch_store(unsigned char* to, const unsigned char* from, size_t count) {
  Carried<kBytes> carried{};
  std::memcpy(carried.bytes, from, count);
  PT_LAUNCH((store_kernel<kBytes>), 1, kThreads, 0, to, carried, static_cast<int>(count));
}

}  // namespace

void store(void* to, const void* from, size_t bytes) {
  constexpr size_t kSmall = 256, kLarge = 4000;  // arguments have 4096 bytes
  auto* target = static_cast<unsigned char*>(to);
  const auto* source = static_cast<const unsigned char*>(from);
  for (size_t at = 0; at < bytes; at += kLarge) {
    const size_t count = bytes - at < kLarge ? bytes - at : kLarge;
    if (count <= kSmall) {
      launch_store<kSmall>(target + at, source + at, count);
    } else {
      launch_store<kLarge>(target + at, source + at, count);
    }
  }
}

}  // namespace pt::cuda
