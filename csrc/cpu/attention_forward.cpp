// Attention, tile by tile: the matrix of scores is never stored as a whole.
//
// Each row keeps the largest score so far and the sum of exponentials relative to it ("online
// softmax", Milakov and Gimelshein 2018); tiles as in Dao et al., "FlashAttention", 2022. A block
// of keys and values is packed once and meets all rows of the task. Rows do not depend on each
// other, so the cut into tasks changes no result.
#include "cpu/attention_tile.h"

namespace pt::PT_ISA {
namespace attention {
namespace {

constexpr int64_t kKeys = 128;      // of a tile
constexpr int64_t kMostRows = 512;  // of a task

template <class T>
class Forward {
 public:
  static constexpr int kL = gemm::kLanes<T>, kW = kColumns<T>;
  static constexpr int64_t kRows = gemm::Blocks<T>::kRows * (gemm::Blocks<T>::kRows > 8 ? 2 : 4);
  static constexpr int64_t kPitch = kKeys + 16;

  explicit Forward(const AttentionArgs& a)
      : a_(a),
        size_pitch_(pitch_of(a.size)),
        sum_pitch_(pitch_of(a.value_size)),
        scale_(static_cast<T>(a.scale)) {}

  void run() {
    const int64_t matrices = a_.batch * a_.heads, threads = get_num_threads();
    const int64_t cuts = max_of(divide_up(a_.rows, kMostRows), divide_up(4 * threads, matrices));
    const int64_t rows = round_up(divide_up(a_.rows, cuts), kRows);
    const int64_t tasks = divide_up(a_.rows, rows);
    const int64_t work = a_.rows * a_.keys * (a_.size + a_.value_size + 64);
    parallel_for(0, matrices * tasks, max_of(1, 500'000 * tasks / max_of(work, 1)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; i++) {
                     const int64_t first = i % tasks * rows;
                     task(i / tasks / a_.heads, i / tasks % a_.heads, first,
                          min_of(first + rows, a_.rows));
                   }
                 });
  }

 private:
  // State of the rows of a task: largest score, sum of exponentials, sum of weighted values.
  struct Sums {
    T *largest, *total, *values;
  };

  void task(int64_t batch, int64_t head, int64_t first, int64_t end) const {
    const int64_t rows = end - first, kv_head = head / (a_.heads / a_.kv_heads);
    T* packed_k = gemm::scratch_b.get<T>(kKeys * (a_.size + round_up(a_.value_size, kW)));
    T* packed_v = packed_k + kKeys * a_.size;
    T* room = gemm::scratch_c.get<T>(rows * (sum_pitch_ + 2) + kRows * (size_pitch_ + kPitch) + 64);
    T* q = room;
    T* tile = q + kRows * size_pitch_;
    Sums sums{tile + kRows * kPitch, nullptr, nullptr};
    sums.total = sums.largest + rows;
    sums.values = sums.total + rows;
    for (int64_t i = 0; i < rows; i++) sums.largest[i] = kNothing<T>, sums.total[i] = 0;
    for (int64_t i = 0; i < rows * sum_pitch_; i++) sums.values[i] = 0;

    for (int64_t key = 0; key < a_.keys; key += kKeys) {
      const int64_t keys = visible_keys(a_, end, key, min_of(kKeys, a_.keys - key));
      if (keys == 0) break;
      gemm::pack_b(matrix<const T>(a_.k, batch, kv_head, key), 1, a_.k.row, a_.size, keys,
                   packed_k);
      gemm::pack_b(matrix<const T>(a_.v, batch, kv_head, key), a_.v.row, 1, keys, a_.value_size,
                   packed_v);
      for (int64_t r = 0; r < rows; r += kRows) {
        const int64_t m = min_of(kRows, rows - r);
        const int64_t n = visible_keys(a_, first + r + m, key, keys);
        if (n == 0) continue;
        copy_rows(matrix<const T>(a_.q, batch, head, first + r), a_.q.row, m, a_.size, scale_, q,
                  size_pitch_);
        multiply<T>(gemm::kByRow, q, size_pitch_, m, a_.size, Right<T>::packed(packed_k, a_.size),
                    n, tile, kPitch, false, true);
        for (int64_t i = 0; i < m; i++) {
          T* x = tile + i * kPitch;
          apply_mask(a_, batch, head, first + r + i, key, n, x);
          weigh(x, round_up(n, kW), sums, r + i);
        }
        multiply<T>(gemm::kByRow, tile, kPitch, m, n, Right<T>::packed(packed_v, keys),
                    a_.value_size, sums.values + r * sum_pitch_, sum_pitch_, true, false);
      }
    }
    T* lse = static_cast<T*>(a_.logsumexp) + (batch * a_.heads + head) * a_.rows + first;
    for (int64_t i = 0; i < rows; i++) {
      const T total = sums.total[i], factor = total == T(0) ? T(0) : T(1) / total;
      copy_rows(sums.values + i * sum_pitch_, 0, 1, a_.value_size, factor,
                matrix<T>(a_.out, batch, head, first + i), 0);
      // A row that attends to nothing has weights of zero, forward and backward.
      lse[i] = total == T(0) ? T(0) : sums.largest[i] + static_cast<T>(__builtin_log(total));
    }
  }

  // Scores become exponentials relative to the row's largest score so far; what was summed up
  // before is rescaled when that has grown.
  void weigh(T* x, int64_t n, const Sums& sums, int64_t row) const {
    const T before = sums.largest[row];
    const T top = larger(x, n, before);
    if (top == kNothing<T>) {
      for (int64_t j = 0; j < n; j++) x[j] = 0;
      return;
    }
    const T sum = exponentials(x, n, top);
    if (top == before) {
      sums.total[row] += sum;
      return;
    }
    const T factor = before == kNothing<T> ? T(0) : static_cast<T>(__builtin_exp(before - top));
    sums.largest[row] = top;
    sums.total[row] = sums.total[row] * factor + sum;
    if (before == kNothing<T>) return;
    T* values = sums.values + row * sum_pitch_;
    for (int64_t j = 0; j < sum_pitch_; j++) values[j] *= factor;
  }

  static T larger(const T* x, int64_t n, T than) {
    Vec<T> v = gemm::broadcast<T>(than);
    for (int64_t j = 0; j < n; j += kL) {
      const Vec<T> w = gemm::load(x + j);
      v = w > v ? w : v;
    }
    T top = v[0];
    for (int j = 1; j < kL; j++) top = v[j] > top ? v[j] : top;
    return top;
  }

  __attribute__((noinline)) static T exponentials(T* x, int64_t n, T top) {
    Vec<T> sum{};
    for (int64_t i = 0; i < n; i += kW) {
      T* e = x + i;
      for (int j = 0; j < kW; j++) e[j] = math::exp_nonpositive(e[j] - top);
      for (int j = 0; j < kW; j += kL) sum += gemm::load(e + j);
    }
    return gemm::sum_lanes<T>(sum);
  }

  const AttentionArgs& a_;
  const int64_t size_pitch_, sum_pitch_;
  const T scale_;
};

template <class T>
void forward(const AttentionArgs& a) {
  if (a.batch * a.heads * a.rows > 0) Forward<T>(a).run();
}

}  // namespace
}  // namespace attention

namespace {

const KernelEntry entries[] = {
    {"attention",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
      PT_FN(&attention::forward<float>), PT_FN(&attention::forward<double>)}}};

}  // namespace

PT_REGISTER_KERNELS(entries)

}  // namespace pt::PT_ISA
