// The gradient of attention: weights are made again from the scores and their logarithmic sums. One
// kernel has the gradient of the queries, walking keys, one those of keys and values, walking
// queries, so that nothing is added by two blocks.
#include "cuda/attention/tile.h"

namespace pt::cuda {
namespace {

using namespace attention;
namespace math = pt::device::math;

// dots[row] = grad_out[row] . out[row]; a thread takes a row.
template <class T>
__global__ void __launch_bounds__(256) dots_kernel(AttentionBackwardArgs b) {
  const AttentionArgs& a = b.forward;
  const int64_t step = int64_t{gridDim.x} * blockDim.x, count = a.batch * a.heads * a.rows;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t row = i % a.rows, head = i / a.rows % a.heads, batch = i / a.rows / a.heads;
    const Rows<T> x = rows_at<T>(b.grad_out, batch, head, row, a.rows);
    const Rows<T> y = rows_at<T>(a.out, batch, head, row, a.rows);
    T sum = 0;
    for (int64_t c = 0; c < a.value_size; ++c) sum += x.data[c] * y.data[c];
    static_cast<T*>(b.dots)[i] = sum;
  }
}

template <class T>
PT_DEVICE T weight_of(T score, T log_sum) {
  return score == PT_NOTHING ? T(0) : math::exp(score - log_sum);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    query_kernel(AttentionBackwardArgs b, int64_t tiles, int64_t parts) {
  PT_SHARED(T, slopes, [kTile][kTile + 1]);
  const AttentionArgs& a = b.forward;
  const int64_t units = a.batch * a.heads * tiles * parts;
  for (int64_t unit = blockIdx.x; unit < units; unit += gridDim.x) {
    const Unit u(unit, parts, tiles, a.heads);
    const int64_t row0 = u.tile * kTile, row = row0 + own_row();
    const int64_t kv_head = u.head / (a.heads / a.kv_heads);
    const Rows<T> q = rows_at<T>(a.q, u.batch, u.head, row0, a.rows);
    const Rows<T> g = rows_at<T>(b.grad_out, u.batch, u.head, row0, a.rows);
    const int64_t line = (u.batch * a.heads + u.head) * a.rows + row;
    const T log_sum = row < a.rows ? static_cast<const T*>(a.logsumexp)[line] : T(0);
    const T dot = row < a.rows ? static_cast<const T*>(b.dots)[line] : T(0);
    int64_t keys = a.keys;
    if (a.causal && row0 + kTile < keys) keys = row0 + kTile;
    Sums<T> sums = {};
    for (int64_t k = 0; k < keys; k += kTile) {
      T s[kOwn], d[kOwn];
      const Rows<T> key_rows = rows_at<T>(a.k, u.batch, kv_head, k, a.keys);
      dot_rows<T>(q, key_rows, a.size, s);
      dot_rows<T>(g, rows_at<T>(a.v, u.batch, kv_head, k, a.keys), a.value_size, d);
      PT_UNROLL
      for (int j = 0; j < kOwn; ++j) {
        const T at = score<T>(a, u.batch, u.head, row, k + own_column(j), s[j]);
        slopes[own_row()][own_column(j)] = weight_of(at, log_sum) * (d[j] - dot);
      }
      add_rows<T>(slopes, key_rows, u.first, a.size, sums);
    }
    if (row < a.rows) {
      store<T>(sums, static_cast<T>(a.scale), b.grad_q, u.batch, u.head, row, u.first, a.size);
    }
    __syncthreads();  // slopes are written again
  }
}

// Of the keys or, with kValue, of the values. The tile's rows are keys.
template <class T, bool kValue>
__global__ void __launch_bounds__(kThreads)
    key_kernel(AttentionBackwardArgs b, int64_t tiles, int64_t parts) {
  PT_SHARED(T, factors, [kTile][kTile + 1]);
  const AttentionArgs& a = b.forward;
  const int64_t units = a.batch * a.kv_heads * tiles * parts, group = a.heads / a.kv_heads;
  for (int64_t unit = blockIdx.x; unit < units; unit += gridDim.x) {
    const Unit u(unit, parts, tiles, a.kv_heads);
    const int64_t key0 = u.tile * kTile, key = key0 + own_row();
    const Rows<T> k = rows_at<T>(a.k, u.batch, u.head, key0, a.keys);
    const Rows<T> v = rows_at<T>(a.v, u.batch, u.head, key0, a.keys);
    Sums<T> sums = {};
    for (int64_t head = u.head * group; head < (u.head + 1) * group; ++head) {
      const int64_t line = (u.batch * a.heads + head) * a.rows;
      for (int64_t r = a.causal ? key0 : 0; r < a.rows; r += kTile) {
        const Rows<T> q = rows_at<T>(a.q, u.batch, head, r, a.rows);
        const Rows<T> g = rows_at<T>(b.grad_out, u.batch, head, r, a.rows);
        T s[kOwn], d[kOwn] = {};
        dot_rows<T>(k, q, a.size, s);
        if constexpr (!kValue) dot_rows<T>(v, g, a.value_size, d);
        PT_UNROLL
        for (int j = 0; j < kOwn; ++j) {
          const int64_t row = r + own_column(j);
          const T at = score<T>(a, u.batch, head, row, key, s[j]);
          T f = 0;
          if (row < a.rows) {
            f = weight_of(at, static_cast<const T*>(a.logsumexp)[line + row]);
            if constexpr (!kValue) f *= d[j] - static_cast<const T*>(b.dots)[line + row];
          }
          factors[own_row()][own_column(j)] = f;
        }
        if constexpr (kValue) {
          add_rows<T>(factors, g, u.first, a.value_size, sums);
        } else {
          add_rows<T>(factors, q, u.first, a.size, sums);
        }
        __syncthreads();  // factors are written again
      }
    }
    if (key < a.keys) {
      if constexpr (kValue) {
        store<T>(sums, T(1), b.grad_v, u.batch, u.head, key, u.first, a.value_size);
      } else {
        store<T>(sums, static_cast<T>(a.scale), b.grad_k, u.batch, u.head, key, u.first, a.size);
      }
    }
  }
}

template <class T>
void backward(const AttentionBackwardArgs& b) {
  const AttentionArgs& a = b.forward;
  const int64_t lines = a.batch * a.heads * a.rows;
  if (lines > 0) PT_LAUNCH((dots_kernel<T>), blocks_for(lines, 256), 256, 0, b);
  const int64_t query_tiles = tiles_of(a.rows), key_tiles = tiles_of(a.keys);
  const int64_t parts = parts_of(a.size), value_parts = parts_of(a.value_size);
  if (const int64_t units = a.batch * a.heads * query_tiles * parts; units > 0) {
    PT_LAUNCH((query_kernel<T>), grid_of(units), kThreads, 0, b, query_tiles, parts);
  }
  if (const int64_t units = a.batch * a.kv_heads * key_tiles * parts; units > 0) {
    PT_LAUNCH((key_kernel<T, false>), grid_of(units), kThreads, 0, b, key_tiles, parts);
  }
  if (const int64_t units = a.batch * a.kv_heads * key_tiles * value_parts; units > 0) {
    PT_LAUNCH((key_kernel<T, true>), grid_of(units), kThreads, 0, b, key_tiles, value_parts);
  }
}

const KernelEntry kEntries[] = {{"attention_backward", {PT_REAL_SLOTS(backward)}}};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
