// A recurrent layer's backward pass over all its steps: the gradients of the gates, and of the
// state by the product of these with the weight. What is left after it, the gradients of the
// weights and of the input, are products over all steps at once; those are the caller's.
//
// Threads share the work as in rnn_forward.cpp.
#include "cpu/rnn_product.h"
#include "ops/functors/math.h"

namespace pt::PT_ISA {
namespace rnn {
namespace {

template <class T>
class Backward {
 public:
  static constexpr int kW = kColumns<T>, kMostRows = gemm::Blocks<T>::kRows;

  explicit Backward(const RnnBackwardArgs& a)
      : a_(a),
        s_(a.shape),
        gates_(s_.gates()),
        h0_(static_cast<const T*>(a.h0)),
        c0_(static_cast<const T*>(a.c0)),
        g_(static_cast<const T*>(a.gates)),
        cells_(static_cast<const T*>(a.cells)),
        output_(static_cast<const T*>(a.output)),
        grad_output_(static_cast<const T*>(a.grad_output)),
        grad_h_(static_cast<T*>(a.grad_h)),
        grad_c_(static_cast<T*>(a.grad_c)),
        grad_gates_(static_cast<T*>(a.grad_gates)),
        grad_hn_(static_cast<T*>(a.grad_hn)),
        raw_(static_cast<T*>(a.raw)),
        grad_width_(static_cast<T*>(a.grad_width)),
        grad_raw_(static_cast<T*>(a.grad_raw)),
        packed_(static_cast<T*>(a.packed_hh)),
        packed_hr_(static_cast<T*>(a.packed_hr)) {}

  void run() {
    const int64_t blocks = panels<T>(s_.hidden), out_blocks = panels<T>(s_.width);
    if (a_.w_hh) {
      const int64_t depth = gates_ * s_.hidden;
      gemm::pack_b(static_cast<const T*>(a_.w_hh), s_.width, 1, depth, s_.width, packed_);
    }
    if (a_.w_hr) {
      gemm::pack_b(static_cast<const T*>(a_.w_hr), s_.hidden, 1, s_.width, s_.hidden, packed_hr_);
    }
    const int64_t work = s_.batch * s_.hidden * (a_.w_hh ? gates_ * s_.width : 64);
    const Cut cut = choose_cut(s_.batch, work, s_.steps);
    const auto sequences = [&](int64_t begin, int64_t end) {
      for (int64_t i = 0; i < s_.steps; i++) {
        const int64_t t = s_.reverse ? i : s_.steps - 1 - i, last = min_of(end, s_.batch_sizes[t]);
        if (begin >= last) continue;
        if (a_.w_hr) unproject(t, begin, last, 0, blocks);
        step(t, begin, last, 0, blocks);
        if (a_.w_hh) to_state(t, begin, last, 0, out_blocks);
      }
    };
    if (cut == Cut::kNone) {
      sequences(0, s_.batch);
    } else if (cut == Cut::kRows) {
      parallel_for(0, s_.batch, gemm::divide_up(s_.batch, get_num_threads()), sequences);
    } else {
      const int64_t threads = get_num_threads();
      const auto shared = [threads](int64_t n, auto f) {
        parallel_for(0, n, gemm::divide_up(n, threads), f);
      };
      for (int64_t i = 0; i < s_.steps; i++) {
        const int64_t t = s_.reverse ? i : s_.steps - 1 - i, rows = s_.batch_sizes[t];
        if (a_.w_hr) {
          shared(blocks, [&](int64_t b, int64_t e) { unproject(t, 0, rows, b, e); });
        }
        shared(blocks, [&](int64_t b, int64_t e) { step(t, 0, rows, b, e); });
        if (a_.w_hh) {
          shared(out_blocks, [&](int64_t b, int64_t e) { to_state(t, 0, rows, b, e); });
        }
      }
    }
  }

 private:
  using Block = rnn::Block<T>;
  // The gradient of h of a row of a step: what later steps sent and what the output received.
  void read_grad(const T* state, const T* output, int64_t n, Block& to) const {
    read(state, n, to);
    if (!output) return;
    alignas(64) Block more;
    read(output, n, more);
    for (int j = 0; j < kW; j++) to[j] += more[j];
  }
  const T* grad_output_row(int64_t row) const {
    return grad_output_ ? grad_output_ + row * s_.width : nullptr;
  }

  // The gradient of h before its projection.
  void unproject(int64_t t, int64_t r0, int64_t r1, int64_t b0, int64_t b1) {
    for_groups<T>(r0, r1, [&](int64_t r, int m) {
      const int64_t pitch = pitch_of<T>(s_.width);
      T* rows = gemm::scratch_a.get<T>(kMostRows * pitch);
      for (int i = 0; i < m; i++) {
        const int64_t row = s_.offsets[t] + r + i;
        const T *state = grad_h_ + (r + i) * s_.width, *output = grad_output_row(row);
        T* sum = rows + i * pitch;
        for (int64_t j = 0; j < s_.width; j++) sum[j] = state[j] + (output ? output[j] : T(0));
        if (b0 > 0) continue;  // another part stores it
        for (int64_t j = 0; j < s_.width; j++) grad_width_[row * s_.width + j] = sum[j];
      }
      for (int64_t q = b0; q < b1; q++) {
        multiply<T>({rows, pitch}, m, s_.width, packed_hr_ + q * s_.width * kW,
                    grad_raw_ + r * s_.hidden + q * kW, s_.hidden,
                    static_cast<int>(min_of<int64_t>(kW, s_.hidden - q * kW)), false);
      }
    });
  }

  // The gradients of the gates of step t.
  void step(int64_t t, int64_t r0, int64_t r1, int64_t b0, int64_t b1) {
    const Before b = before(s_, t);
    for (int64_t r = r0; r < r1; r++) {
      const int64_t row = s_.offsets[t] + r;
      for (int64_t q = b0; q < b1; q++) {
        const int64_t j0 = q * kW, n = min_of<int64_t>(kW, s_.hidden - j0);
        alignas(64) Block dh;
        T* state = grad_h_ + r * s_.width + j0;
        if (a_.w_hr) {
          read(grad_raw_ + r * s_.hidden + j0, n, dh);
        } else {
          const T* output = grad_output_row(row);
          read_grad(state, output ? output + j0 : nullptr, n, dh);
        }
        const int64_t at = row * s_.hidden + j0, gates_at = row * gates_ * s_.hidden + j0;
        if (s_.mode == RnnMode::kLstm) {
          lstm(g_ + gates_at, cells_ + at, row_before(b, cells_, c0_, s_.hidden, r) + j0, dh, n,
               grad_c_ + r * s_.hidden + j0, grad_gates_ + gates_at, a_.w_hr ? raw_ + at : nullptr);
        } else if (s_.mode == RnnMode::kGru) {
          gru(g_ + gates_at, cells_ + at, row_before(b, output_, h0_, s_.hidden, r) + j0, dh, n,
              state, grad_gates_ + gates_at, grad_hn_ + at);
        } else {
          alignas(64) Block h;
          read(output_ + at, n, h);
          if (s_.mode == RnnMode::kTanh) {
            for (int j = 0; j < kW; j++) dh[j] = dh[j] * (T(1) - h[j] * h[j]);
          } else {
            for (int j = 0; j < kW; j++) dh[j] = math::select(h[j] <= T(0), T(0), dh[j]);
          }
          write(dh, n, grad_gates_ + at);
        }
      }
    }
  }

  __attribute__((noinline)) void lstm(const T* gates, const T* c_now, const T* c_before,
                                      const Block& dh, int64_t n, T* grad_c, T* grad_gates,
                                      T* raw) const {
    alignas(64) Block x[4], c, before, dc, tc, d;
    for (int g = 0; g < 4; g++) read(gates + g * s_.hidden, n, x[g]);
    read(c_now, n, c);
    read(c_before, n, before);
    read(grad_c, n, dc);
    for (int j = 0; j < kW; j++) tc[j] = math::tanh(c[j]);
    if (raw) {
      for (int j = 0; j < kW; j++) d[j] = x[3][j] * tc[j];
      write(d, n, raw);
    }
    for (int j = 0; j < kW; j++) dc[j] += dh[j] * x[3][j] * (T(1) - tc[j] * tc[j]);
    for (int j = 0; j < kW; j++) d[j] = dc[j] * x[2][j] * (T(1) - x[0][j]) * x[0][j];
    write(d, n, grad_gates);
    for (int j = 0; j < kW; j++) d[j] = dc[j] * before[j] * (T(1) - x[1][j]) * x[1][j];
    write(d, n, grad_gates + s_.hidden);
    for (int j = 0; j < kW; j++) d[j] = dc[j] * x[0][j] * (T(1) - x[2][j] * x[2][j]);
    write(d, n, grad_gates + 2 * s_.hidden);
    for (int j = 0; j < kW; j++) d[j] = dh[j] * tc[j] * (T(1) - x[3][j]) * x[3][j];
    write(d, n, grad_gates + 3 * s_.hidden);
    for (int j = 0; j < kW; j++) dc[j] *= x[1][j];
    write(dc, n, grad_c);
  }

  __attribute__((noinline)) void gru(const T* gates, const T* hn_now, const T* h_before,
                                     const Block& dh, int64_t n, T* state, T* grad_gates,
                                     T* grad_hn) const {
    alignas(64) Block x[3], hn, before, d, e;
    for (int g = 0; g < 3; g++) read(gates + g * s_.hidden, n, x[g]);
    read(hn_now, n, hn);
    read(h_before, n, before);
    for (int j = 0; j < kW; j++) {
      d[j] = dh[j] * (before[j] - x[2][j]) * (T(1) - x[1][j]) * x[1][j];
    }
    write(d, n, grad_gates + s_.hidden);
    for (int j = 0; j < kW; j++) d[j] = dh[j] * (T(1) - x[1][j]) * (T(1) - x[2][j] * x[2][j]);
    write(d, n, grad_gates + 2 * s_.hidden);
    for (int j = 0; j < kW; j++) e[j] = d[j] * x[0][j];
    write(e, n, grad_hn);
    for (int j = 0; j < kW; j++) e[j] = d[j] * hn[j] * (T(1) - x[0][j]) * x[0][j];
    write(e, n, grad_gates);
    for (int j = 0; j < kW; j++) e[j] = dh[j] * x[1][j];
    write(e, n, state);
  }

  // The gradient of the state before step t: that of the gates times the weight. A gru's state has
  // another part already, which does not go through the gates.
  void to_state(int64_t t, int64_t r0, int64_t r1, int64_t b0, int64_t b1) {
    const int64_t depth = gates_ * s_.hidden, pitch = pitch_of<T>(depth);
    const bool gru = s_.mode == RnnMode::kGru;
    for_groups<T>(r0, r1, [&](int64_t r, int m) {
      T* rows = gemm::scratch_a.get<T>(kMostRows * pitch);
      const int64_t row = s_.offsets[t] + r;
      gemm::pack_rows(grad_gates_ + row * depth, depth, m, gru ? 2 * s_.hidden : depth, rows,
                      pitch);
      if (gru) {
        gemm::pack_rows(grad_hn_ + row * s_.hidden, s_.hidden, m, s_.hidden, rows + 2 * s_.hidden,
                        pitch);
      }
      for (int64_t q = b0; q < b1; q++) {
        multiply<T>({rows, pitch}, m, depth, packed_ + q * depth * kW,
                    grad_h_ + r * s_.width + q * kW, s_.width,
                    static_cast<int>(min_of<int64_t>(kW, s_.width - q * kW)), gru);
      }
    });
  }

  const RnnBackwardArgs& a_;
  const RnnShape& s_;
  const int64_t gates_;
  const T *h0_, *c0_, *g_, *cells_, *output_, *grad_output_;
  T *grad_h_, *grad_c_, *grad_gates_, *grad_hn_, *raw_, *grad_width_, *grad_raw_, *packed_,
      *packed_hr_;
};

template <class T>
void backward(const RnnBackwardArgs& a) {
  Backward<T>(a).run();
}

}  // namespace
}  // namespace rnn

namespace {

const KernelEntry entries[] = {
    {"rnn_backward",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
      PT_FN(&rnn::backward<float>), PT_FN(&rnn::backward<double>)}}};

}  // namespace

PT_REGISTER_KERNELS(entries)

}  // namespace pt::PT_ISA
