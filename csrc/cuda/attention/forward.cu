// Attention without storing its weights: keys come in tiles, and what has been summed up is scaled
// when a larger score turns up (M. Milakov, N. Gimelshein, "Online normalizer calculation for
// softmax", 2018; T. Dao et al., "FlashAttention", 2022).
#include "cuda/attention/tile.h"

namespace pt::cuda {
namespace {

using namespace attention;
namespace math = pt::device::math;

// Of the four threads of a row.
template <class T, class Combine>
PT_DEVICE T row_reduce(T v, Combine combine) {
  v = combine(v, __shfl_xor_sync(kFullWarp, v, 1));
  return combine(v, __shfl_xor_sync(kFullWarp, v, 2));
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    forward_kernel(AttentionArgs a, int64_t tiles, int64_t parts) {
  PT_SHARED(T, weights, [kTile][kTile + 1]);
  const int64_t units = a.batch * a.heads * tiles * parts;
  for (int64_t unit = blockIdx.x; unit < units; unit += gridDim.x) {
    const Unit u(unit, parts, tiles, a.heads);
    const int64_t row0 = u.tile * kTile, row = row0 + own_row();
    const int64_t kv_head = u.head / (a.heads / a.kv_heads);
    const Rows<T> q = rows_at<T>(a.q, u.batch, u.head, row0, a.rows);
    int64_t keys = a.keys;
    if (a.causal && row0 + kTile < keys) keys = row0 + kTile;
    T most = PT_NOTHING, total = 0;
    Sums<T> sums = {};
    for (int64_t k = 0; k < keys; k += kTile) {
      T s[kOwn];
      dot_rows<T>(q, rows_at<T>(a.k, u.batch, kv_head, k, a.keys), a.size, s);
      T top = most;
      PT_UNROLL
      for (int j = 0; j < kOwn; ++j) {
        s[j] = score<T>(a, u.batch, u.head, row, k + own_column(j), s[j]);
        top = s[j] > top ? s[j] : top;
      }
      top = row_reduce(top, [](T x, T y) { return x > y ? x : y; });
      const T kept = most == PT_NOTHING ? T(0) : math::exp(most - top);
      T added = 0;
      PT_UNROLL
      for (int j = 0; j < kOwn; ++j) {
        const T w = s[j] == PT_NOTHING ? T(0) : math::exp(s[j] - top);
        weights[own_row()][own_column(j)] = w;
        added += w;
      }
      total = total * kept + row_reduce(added, [](T x, T y) { return x + y; });
      most = top;
      PT_UNROLL
      for (int p = 0; p < kParts; ++p) {
        PT_UNROLL
        for (int j = 0; j < kOwn; ++j) sums[p][j] *= kept;
      }
      add_rows<T>(weights, rows_at<T>(a.v, u.batch, kv_head, k, a.keys), u.first, a.value_size,
                  sums);
    }
    if (row < a.rows) {
      const T factor = total == 0 ? T(0) : 1 / total;
      store<T>(sums, factor, a.out, u.batch, u.head, row, u.first, a.value_size);
      if (u.first == 0 && own_column(0) == 0) {
        static_cast<T*>(a.logsumexp)[(u.batch * a.heads + u.head) * a.rows + row] =
            total == 0 ? T(0) : most + math::log(total);
      }
    }
    __syncthreads();  // weights are written again
  }
}

template <class T>
void forward(const AttentionArgs& a) {
  const int64_t tiles = tiles_of(a.rows), parts = a.value_size ? parts_of(a.value_size) : 1;
  const int64_t units = a.batch * a.heads * tiles * parts;
  if (units == 0) return;
  PT_LAUNCH((forward_kernel<T>), grid_of(units), kThreads, 0, a, tiles, parts);
}

const KernelEntry kEntries[] = {{"attention", {PT_REAL_SLOTS(forward)}}};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
