// A recurrent layer's forward pass over all its steps: the products with the hidden state and the
// gates of a block of units in one go, while they are in the L1 cache.
//
// The weight is packed once so that a block's gates are neighbours. Sequences do not depend on each
// other, so each thread takes some of them through all steps; of few sequences the threads share
// the units of each step instead. Every sum is the same either way.
#include "cpu/rnn_product.h"
#include "ops/functors/math.h"

namespace pt::PT_ISA {
namespace rnn {
namespace {

template <class T>
class Forward {
 public:
  static constexpr int kW = kColumns<T>, kMostRows = gemm::Blocks<T>::kRows;

  explicit Forward(const RnnForwardArgs& a)
      : a_(a),
        s_(a.shape),
        gates_(static_cast<int>(s_.gates())),
        h0_(static_cast<const T*>(a.h0)),
        c0_(static_cast<const T*>(a.c0)),
        b_hn_(static_cast<const T*>(a.b_hn)),
        g_(static_cast<T*>(a.gates)),
        cells_(static_cast<T*>(a.cells)),
        output_(static_cast<T*>(a.output)),
        target_(static_cast<T*>(a.w_hr ? a.raw : a.output)),
        packed_(static_cast<T*>(a.packed_hh)),
        packed_hr_(static_cast<T*>(a.packed_hr)) {}

  void run() {
    const int64_t blocks = panels<T>(s_.hidden), out_blocks = panels<T>(s_.width);
    pack();
    const int64_t work = s_.batch * s_.hidden * (a_.w_hh ? gates_ * s_.width : 64);
    const Cut cut = choose_cut(s_.batch, work, s_.steps);
    const auto sequences = [&](int64_t begin, int64_t end) {
      for (int64_t i = 0; i < s_.steps; i++) {
        const int64_t t = s_.reverse ? s_.steps - 1 - i : i, last = min_of(end, s_.batch_sizes[t]);
        if (begin >= last) continue;
        step(t, begin, last, 0, blocks);
        if (a_.w_hr) project(t, begin, last, 0, out_blocks);
      }
    };
    if (cut == Cut::kNone) {
      sequences(0, s_.batch);
    } else if (cut == Cut::kRows) {
      parallel_for(0, s_.batch, gemm::divide_up(s_.batch, get_num_threads()), sequences);
    } else {
      const int64_t threads = get_num_threads();
      for (int64_t i = 0; i < s_.steps; i++) {
        const int64_t t = s_.reverse ? s_.steps - 1 - i : i, rows = s_.batch_sizes[t];
        parallel_for(0, blocks, gemm::divide_up(blocks, threads),
                     [&](int64_t begin, int64_t end) { step(t, 0, rows, begin, end); });
        if (a_.w_hr) {
          parallel_for(0, out_blocks, gemm::divide_up(out_blocks, threads),
                       [&](int64_t begin, int64_t end) { project(t, 0, rows, begin, end); });
        }
      }
    }
  }

 private:
  void pack() {
    const int64_t blocks = panels<T>(s_.hidden), depth = s_.width;
    if (a_.w_hh) {
      const T* w = static_cast<const T*>(a_.w_hh);
      parallel_for(0, blocks, gemm::divide_up(1 << 16, kW * gates_ * depth + 1),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t q = begin * gates_; q < end * gates_; q++) {
                       const int64_t block = q / gates_, gate = q % gates_, j = block * kW;
                       gemm::pack_b(w + (gate * s_.hidden + j) * depth, 1, depth, depth,
                                    min_of<int64_t>(kW, s_.hidden - j), packed_ + q * depth * kW);
                     }
                   });
    }
    if (a_.w_hr) {
      gemm::pack_b(static_cast<const T*>(a_.w_hr), 1, s_.hidden, s_.hidden, s_.width, packed_hr_);
    }
  }

  // Rows [r, r + m) of the state before step t, copied side by side.
  Rows<T> state(Before b, int64_t r, int m) const {
    const int64_t depth = s_.width, pitch = pitch_of<T>(depth);
    T* to = gemm::scratch_a.get<T>(kMostRows * pitch);
    for (int i = 0; i < m; i++) {
      gemm::pack_rows(row_before(b, output_, h0_, depth, r + i), depth, 1, depth, to + i * pitch,
                      pitch);
    }
    return {to, pitch};
  }

  // Step t of the rows [r0, r1) and of the blocks [b0, b1) of units.
  void step(int64_t t, int64_t r0, int64_t r1, int64_t b0, int64_t b1) {
    const Before b = before(s_, t);
    alignas(64) T tile[kMostRows * 4 * kW];
    if (!a_.w_hh) {
      for (int64_t r = r0; r < r1; r++) {
        for (int64_t q = b0; q < b1; q++) finish(t, b, r, q, nullptr);
      }
      return;
    }
    for_groups<T>(r0, r1, [&](int64_t r, int m) {
      const Rows<T> h = state(b, r, m);
      for (int64_t q = b0; q < b1; q++) {
        for (int g = 0; g < gates_; g++) {
          multiply<T>(h, m, s_.width, packed_ + (q * gates_ + g) * s_.width * kW, tile + g * kW,
                      gates_ * kW, kW, false);
        }
        for (int i = 0; i < m; i++) finish(t, b, r + i, q, tile + i * gates_ * kW);
      }
    });
  }

  void project(int64_t t, int64_t r0, int64_t r1, int64_t b0, int64_t b1) {
    for_groups<T>(r0, r1, [&](int64_t r, int m) {
      const int64_t pitch = pitch_of<T>(s_.hidden);
      T* rows = gemm::scratch_a.get<T>(kMostRows * pitch);
      gemm::pack_rows(target_ + r * s_.hidden, s_.hidden, m, s_.hidden, rows, pitch);
      for (int64_t q = b0; q < b1; q++) {
        const int64_t j = q * kW;
        multiply<T>({rows, pitch}, m, s_.hidden, packed_hr_ + q * s_.hidden * kW,
                    output_ + (s_.offsets[t] + r) * s_.width + j, s_.width,
                    static_cast<int>(min_of<int64_t>(kW, s_.width - j)), false);
      }
    });
  }

  using Block = rnn::Block<T>;
  // The gates and the new state of block q of row r of step t; `sums` are the products with h.
  void finish(int64_t t, Before b, int64_t r, int64_t q, const T* sums) {
    const int64_t row = s_.offsets[t] + r, j0 = q * kW, n = min_of<int64_t>(kW, s_.hidden - j0);
    T* gates = g_ + row * gates_ * s_.hidden + j0;
    T* h = target_ + (a_.w_hr ? r : row) * s_.hidden + j0;
    if (s_.mode == RnnMode::kLstm) {
      finish_lstm(gates, row_before(b, cells_, c0_, s_.hidden, r) + j0, sums, n,
                  cells_ + row * s_.hidden + j0, h);
    } else if (s_.mode == RnnMode::kGru) {
      finish_gru(gates, row_before(b, output_, h0_, s_.hidden, r) + j0, sums, n, j0,
                 cells_ + row * s_.hidden + j0, h);
    } else {
      alignas(64) Block x;
      read(gates, n, x);
      if (sums) {
        for (int j = 0; j < kW; j++) x[j] += sums[j];
      }
      if (s_.mode == RnnMode::kTanh) {
        for (int j = 0; j < kW; j++) x[j] = math::tanh(x[j]);
      } else {
        for (int j = 0; j < kW; j++) x[j] = math::select(x[j] < T(0), T(0), x[j]);
      }
      write(x, n, h);
    }
  }

  __attribute__((noinline)) void finish_lstm(T* gates, const T* c_before, const T* sums, int64_t n,
                                             T* c_out, T* h_out) const {
    alignas(64) Block x[4], c, h;
    for (int g = 0; g < 4; g++) read(gates + g * s_.hidden, n, x[g]);
    read(c_before, n, c);
    if (sums) {
      for (int g = 0; g < 4; g++) {
        for (int j = 0; j < kW; j++) x[g][j] += sums[g * kW + j];
      }
    }
    for (int j = 0; j < kW; j++) x[0][j] = math::sigmoid(x[0][j]);
    for (int j = 0; j < kW; j++) x[1][j] = math::sigmoid(x[1][j]);
    for (int j = 0; j < kW; j++) x[2][j] = math::tanh(x[2][j]);
    for (int j = 0; j < kW; j++) x[3][j] = math::sigmoid(x[3][j]);
    for (int j = 0; j < kW; j++) c[j] = x[1][j] * c[j] + x[0][j] * x[2][j];
    for (int j = 0; j < kW; j++) h[j] = x[3][j] * math::tanh(c[j]);
    for (int g = 0; g < 4; g++) write(x[g], n, gates + g * s_.hidden);
    write(c, n, c_out);
    write(h, n, h_out);
  }

  __attribute__((noinline)) void finish_gru(T* gates, const T* h_before, const T* sums, int64_t n,
                                            int64_t j0, T* hn_out, T* h_out) const {
    alignas(64) Block x[3], hn, h;
    for (int g = 0; g < 3; g++) read(gates + g * s_.hidden, n, x[g]);
    read(h_before, n, h);
    if (sums) {
      for (int j = 0; j < kW; j++) x[0][j] += sums[j];
      for (int j = 0; j < kW; j++) x[1][j] += sums[kW + j];
      for (int j = 0; j < kW; j++) hn[j] = T(0);
      if (b_hn_) read(b_hn_ + j0, n, hn);
      for (int j = 0; j < kW; j++) hn[j] += sums[2 * kW + j];
    } else {
      read(hn_out, n, hn);
    }
    for (int j = 0; j < kW; j++) x[0][j] = math::sigmoid(x[0][j]);
    for (int j = 0; j < kW; j++) x[1][j] = math::sigmoid(x[1][j]);
    for (int j = 0; j < kW; j++) x[2][j] = math::tanh(x[2][j] + x[0][j] * hn[j]);
    for (int j = 0; j < kW; j++) h[j] = x[2][j] + x[1][j] * (h[j] - x[2][j]);
    for (int g = 0; g < 3; g++) write(x[g], n, gates + g * s_.hidden);
    write(hn, n, hn_out);
    write(h, n, h_out);
  }

  const RnnForwardArgs& a_;
  const RnnShape& s_;
  const int gates_;
  const T *h0_, *c0_, *b_hn_;
  T *g_, *cells_, *output_, *target_, *packed_, *packed_hr_;
};

template <class T>
void forward(const RnnForwardArgs& a) {
  Forward<T>(a).run();
}

}  // namespace
}  // namespace rnn

namespace {

const KernelEntry entries[] = {
    {"rnn_forward",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
      PT_FN(&rnn::forward<float>), PT_FN(&rnn::forward<double>)}}};

}  // namespace

PT_REGISTER_KERNELS(entries)

}  // namespace pt::PT_ISA
