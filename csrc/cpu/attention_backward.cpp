// Gradients of attention, tile by tile: a tile's weights are made again from the scores and the
// stored logarithm of their sum (Dao et al., "FlashAttention", 2022).
//
// With w the weights and g the gradient of the output, of a tile:
//   grad_v += w.T g,  d = w * (g v.T - dot(g, out)),  grad_q += scale d k,  grad_k += scale d.T q.
// A task has the keys and the rows of one head of k and v. Of few heads, tasks share the keys for
// the gradients of k and v, then the rows for that of q, at the cost of making the tiles twice.
// Each element is summed up in the same order in both ways.
#include "cpu/attention_tile.h"

namespace pt::PT_ISA {
namespace attention {
namespace {

constexpr int64_t kKeys = 64;  // of a tile

template <class T>
class Backward {
 public:
  static constexpr int kW = kColumns<T>;
  static constexpr int64_t kRows = gemm::Blocks<T>::kRows * (gemm::Blocks<T>::kRows > 8 ? 4 : 8);
  static constexpr int64_t kPitch = kKeys + 16;

  explicit Backward(const AttentionBackwardArgs& b)
      : b_(b),
        a_(b.forward),
        group_(a_.heads / a_.kv_heads),
        size_pitch_(pitch_of(a_.size)),
        value_pitch_(pitch_of(a_.value_size)),
        scale_(static_cast<T>(a_.scale)) {}

  void run() {
    const int64_t matrices = a_.batch * a_.kv_heads, threads = get_num_threads();
    const int64_t blocks = divide_up(a_.keys, kKeys), row_blocks = divide_up(a_.rows, kRows);
    parallel_for(0, a_.batch * a_.heads, max_of(1, 100'000 / max_of(1, a_.rows * a_.value_size)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; i++) dots(i / a_.heads, i % a_.heads);
                 });
    const int64_t work = group_ * a_.rows * a_.keys * (2 * a_.size + 2 * a_.value_size + 64);
    const int64_t grain = max_of(1, 500'000 / max_of(work, 1));
    if (threads == 1 || matrices >= 2 * threads || matrices * blocks < 2 * threads ||
        matrices * work < 2'000'000) {
      parallel_for(0, matrices, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          task(i / a_.kv_heads, i % a_.kv_heads, 0, blocks, 0, row_blocks, true, true);
        }
      });
      return;
    }
    parallel_for(0, matrices * blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t at = i / blocks, block = i % blocks;
        task(at / a_.kv_heads, at % a_.kv_heads, block, block + 1, 0, row_blocks, false, true);
      }
    });
    const int64_t together = max_of(1, row_blocks * matrices / (4 * threads));
    const int64_t parts = divide_up(row_blocks, together);
    parallel_for(0, matrices * parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t at = i / parts, first = i % parts * together;
        task(at / a_.kv_heads, at % a_.kv_heads, 0, blocks, first,
             min_of(first + together, row_blocks), true, false);
      }
    });
  }

 private:
  // dot(grad_out, out) for each row.
  void dots(int64_t batch, int64_t head) const {
    T* to = static_cast<T*>(b_.dots) + (batch * a_.heads + head) * a_.rows;
    for (int64_t r = 0; r < a_.rows; r++) {
      const T* g = matrix<const T>(b_.grad_out, batch, head, r);
      const T* o = matrix<const T>(a_.out, batch, head, r);
      constexpr int kL = gemm::kLanes<T>;
      Vec<T> sum{};
      int64_t j = 0;
      for (; j + kL <= a_.value_size; j += kL) sum += gemm::load(g + j) * gemm::load(o + j);
      if (j < a_.value_size) {
        const int left = static_cast<int>(a_.value_size - j);
        sum += gemm::load_n(g + j, left) * gemm::load_n(o + j, left);
      }
      to[r] = gemm::sum_lanes<T>(sum);
    }
  }

  static void zero(T* to, int64_t row, int64_t rows, int64_t n) {
    for (int64_t i = 0; i < rows; i++) {
      for (int64_t j = 0; j < n; j++) to[i * row + j] = 0;
    }
  }

  // The tiles of the blocks [b0, b1) of keys and [r0, r1) of rows.
  void task(int64_t batch, int64_t kv_head, int64_t b0, int64_t b1, int64_t r0, int64_t r1,
            bool want_q, bool want_kv) const {
    T* packed_k = gemm::scratch_b.get<T>(kKeys * (a_.size + a_.value_size + size_pitch_));
    T* packed_v = packed_k + kKeys * a_.size;
    T* k_rows = packed_v + kKeys * a_.value_size;
    T* q = gemm::scratch_c.get<T>(kRows * (size_pitch_ + value_pitch_ + 2 * kPitch));
    T* g = q + kRows * size_pitch_;
    T* weights = g + kRows * value_pitch_;
    T* grads = weights + kRows * kPitch;
    if (a_.keys == 0 && want_q) {
      for (int64_t head = kv_head * group_; head < (kv_head + 1) * group_; head++) {
        zero(matrix<T>(b_.grad_q, batch, head), b_.grad_q.row, a_.rows, a_.size);
      }
    }
    for (int64_t block = b0; block < b1; block++) {
      const int64_t key = block * kKeys, keys = min_of(kKeys, a_.keys - key);
      const T* k = matrix<const T>(a_.k, batch, kv_head, key);
      T* grad_k = matrix<T>(b_.grad_k, batch, kv_head, key);
      T* grad_v = matrix<T>(b_.grad_v, batch, kv_head, key);
      gemm::pack_b(k, 1, a_.k.row, a_.size, keys, packed_k);
      gemm::pack_b(matrix<const T>(a_.v, batch, kv_head, key), 1, a_.v.row, a_.value_size, keys,
                   packed_v);
      if (want_q) copy_rows(k, a_.k.row, keys, a_.size, scale_, k_rows, size_pitch_);
      if (want_kv) {
        zero(grad_k, b_.grad_k.row, keys, a_.size);
        zero(grad_v, b_.grad_v.row, keys, a_.value_size);
      }
      for (int64_t head = kv_head * group_; head < (kv_head + 1) * group_; head++) {
        const int64_t line = (batch * a_.heads + head) * a_.rows;
        const T* lse = static_cast<const T*>(a_.logsumexp) + line;
        const T* dots = static_cast<const T*>(b_.dots) + line;
        for (int64_t r = r0 * kRows; r < min_of(r1 * kRows, a_.rows); r += kRows) {
          const int64_t m = min_of(kRows, a_.rows - r);
          const int64_t n = visible_keys(a_, r + m, key, keys);
          if (n == 0) continue;
          copy_rows(matrix<const T>(a_.q, batch, head, r), a_.q.row, m, a_.size, scale_, q,
                    size_pitch_);
          copy_rows(matrix<const T>(b_.grad_out, batch, head, r), b_.grad_out.row, m, a_.value_size,
                    T(1), g, value_pitch_);
          multiply<T>(gemm::kByRow, q, size_pitch_, m, a_.size, Right<T>::packed(packed_k, a_.size),
                      n, weights, kPitch, false, true);
          multiply<T>(gemm::kByRow, g, value_pitch_, m, a_.value_size,
                      Right<T>::packed(packed_v, a_.value_size), n, grads, kPitch, false, true);
          for (int64_t i = 0; i < m; i++) {
            apply_mask(a_, batch, head, r + i, key, n, weights + i * kPitch);
            weigh(weights + i * kPitch, grads + i * kPitch, round_up(n, kW), lse[r + i],
                  dots[r + i]);
          }
          if (want_kv) {
            multiply<T>(gemm::kByColumn, weights, kPitch, n, m, Right<T>::in_rows(g, value_pitch_),
                        a_.value_size, grad_v, b_.grad_v.row, true, false);
            multiply<T>(gemm::kByColumn, grads, kPitch, n, m, Right<T>::in_rows(q, size_pitch_),
                        a_.size, grad_k, b_.grad_k.row, true, false);
          }
          if (want_q) {
            multiply<T>(gemm::kByRow, grads, kPitch, m, n, Right<T>::in_rows(k_rows, size_pitch_),
                        a_.size, matrix<T>(b_.grad_q, batch, head, r), b_.grad_q.row, block > 0,
                        false);
          }
        }
      }
    }
  }

  // x: scores to weights; y: from the gradients of the weights to those of the scores.
  __attribute__((noinline)) static void weigh(T* x, T* y, int64_t n, T lse, T dot) {
    for (int64_t i = 0; i < n; i += kW) {
      T *w = x + i, *d = y + i;
      for (int j = 0; j < kW; j++) w[j] = math::exp(w[j] - lse);
      for (int j = 0; j < kW; j++) d[j] = w[j] * (d[j] - dot);
    }
  }

  const AttentionBackwardArgs& b_;
  const AttentionArgs& a_;
  const int64_t group_, size_pitch_, value_pitch_;
  const T scale_;
};

template <class T>
void backward(const AttentionBackwardArgs& b) {
  const AttentionArgs& a = b.forward;
  if (a.batch * a.heads > 0) Backward<T>(b).run();
}

}  // namespace
}  // namespace attention

namespace {

const KernelEntry entries[] = {
    {"attention_backward",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
      PT_FN(&attention::backward<float>), PT_FN(&attention::backward<double>)}}};

}  // namespace

PT_REGISTER_KERNELS(entries)

}  // namespace pt::PT_ISA
