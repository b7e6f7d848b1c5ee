// A layer's steps on a device. See device.h.
#include "ops/rnn/device.h"

#include <algorithm>

#include "cpu/kernel_table.h"
#include "cuda/args/rnn_args.h"
#include "op/copy.h"
#include "ops/matmul/gemm_call.h"
#include "ops/pointwise/arithmetic.h"

namespace pt::rnn::device {

namespace {

const Kernel<RnnStepFn> kStep{"device_rnn_step"};
const Kernel<RnnStepBackwardFn> kStepBackward{"device_rnn_step_backward"};

// Where the state before step t lies: rows [0, split) among the steps' from row `first` on.
struct Before {
  int64_t first = 0, split = 0;
  Before(const RnnShape& s, int64_t t) {
    const int64_t from = s.reverse ? t + 1 : t - 1;
    if (from < 0 || from >= s.steps) return;
    first = s.offsets[from];
    split = std::min(s.batch_sizes[t], s.batch_sizes[from]);
  }
  RnnBefore args(const Tensor& steps, const Tensor& initial) const {
    return {split ? rows(steps, first, split).raw() : nullptr, initial.raw(), split};
  }
};

// out += (the state before the step) @ w.T + bias, or = where `keep` is 0.
void add_product(const Tensor& out, const Before& b, const Tensor& output, const Tensor& h0,
                 const Tensor& w, double keep, const Tensor& bias = {}) {
  const int64_t n = out->sizes[0];
  const GemmScale scale{.beta = keep};
  if (b.split > 0)
    gemm(rows(out, 0, b.split), rows(output, b.first, b.split), transposed(w), "addmm", scale,
         bias);
  if (n > b.split)
    gemm(rows(out, b.split, n - b.split), rows(h0, b.split, n - b.split), transposed(w), "addmm",
         scale, bias);
}

}  // namespace

void run_steps(const Layer& l, const Geometry& geometry, const Steps& s) {
  const RnnShape& shape = geometry.shape;
  const int64_t hidden = shape.hidden;
  const bool gru = shape.mode == RnnMode::kGru;
  const Tensor raw =
      l.w_hr.defined() ? empty_tensor(Dims{shape.batch, hidden}, l.input.dtype()) : Tensor();
  for (int64_t i = 0; i < shape.steps; ++i) {
    const int64_t t = shape.reverse ? shape.steps - 1 - i : i;
    const int64_t first = shape.offsets[t], n = shape.batch_sizes[t];
    if (n == 0) continue;
    const Before b(shape, t);
    const Tensor gates = rows(s.gates, first, n), h = rows(s.output, first, n);
    if (gru) {
      add_product(columns(gates, 0, 2 * hidden), b, s.output, s.h0, rows(l.w_hh, 0, 2 * hidden), 1);
      add_product(rows(s.cells, first, n), b, s.output, s.h0, rows(l.w_hh, 2 * hidden, hidden), 0,
                  s.b_hn);
    } else {
      add_product(gates, b, s.output, s.h0, l.w_hh, 1);
    }
    RnnStepArgs a;
    a.mode = shape.mode;
    a.rows = n;
    a.hidden = hidden;
    a.gates = gates.raw();
    a.cells = gru || l.c0.defined() ? rows(s.cells, first, n).raw() : nullptr;
    if (gru) {
      a.before = b.args(s.output, s.h0);
    } else if (l.c0.defined()) {
      a.before = b.args(s.cells, s.c0);
    }
    a.h = raw.defined() ? raw.raw() : h.raw();
    kStep.get(l.input.dtype())(a);
    if (raw.defined()) gemm(h, rows(raw, 0, n), transposed(l.w_hr), "mm");
  }
}

void run_steps_backward(const Layer& l, const Geometry& geometry, const Steps& s,
                        const StepGradients& g) {
  const RnnShape& shape = geometry.shape;
  const int64_t hidden = shape.hidden;
  const bool gru = shape.mode == RnnMode::kGru, projected = l.w_hr.defined();
  const Tensor grad_raw =
      projected ? empty_tensor(Dims{shape.batch, hidden}, l.input.dtype()) : Tensor();
  for (int64_t i = 0; i < shape.steps; ++i) {
    const int64_t t = shape.reverse ? i : shape.steps - 1 - i;
    const int64_t first = shape.offsets[t], n = shape.batch_sizes[t];
    if (n == 0) continue;
    const Before b(shape, t);
    const Tensor grad_h = rows(g.h, 0, n), grad_gates = rows(g.gates, first, n);
    RnnStepBackwardArgs a;
    a.mode = shape.mode;
    a.rows = n;
    a.hidden = hidden;
    if (gru || l.c0.defined()) a.gates = rows(s.gates, first, n).raw();
    a.grad_gates = grad_gates.raw();
    if (projected) {
      const Tensor width = rows(g.width, first, n);
      copy_into(width, g.output.defined() ? grad_h + rows(g.output, first, n) : grad_h);
      gemm(rows(grad_raw, 0, n), width, l.w_hr, "mm");
      a.grad_h = grad_raw.raw();
      a.raw = rows(g.raw, first, n).raw();
    } else {
      a.grad_h = grad_h.raw();
      if (g.output.defined()) a.grad_output = rows(g.output, first, n).raw();
      a.h = rows(s.output, first, n).raw();
    }
    if (gru) {
      a.cells = rows(s.cells, first, n).raw();
      a.before = b.args(s.output, s.h0);
      a.grad_hn = rows(g.hn, first, n).raw();
    } else if (l.c0.defined()) {
      a.cells = rows(s.cells, first, n).raw();
      a.before = b.args(s.cells, s.c0);
      a.grad_c = g.c.raw();
    }
    kStepBackward.get(l.input.dtype())(a);
    if (gru) {
      gemm(grad_h, columns(grad_gates, 0, 2 * hidden), rows(l.w_hh, 0, 2 * hidden), "mm",
           {.beta = 1});
      gemm(grad_h, rows(g.hn, first, n), rows(l.w_hh, 2 * hidden, hidden), "mm", {.beta = 1});
    } else {
      gemm(grad_h, grad_gates, l.w_hh, "mm");
    }
  }
}

}  // namespace pt::rnn::device
