// The fused recurrent layer: one product for the input of all steps, the kernel of the recurrence,
// and backward again one product for each weight.
#include "ops/rnn/layer.h"

#include "core/on_device.h"
#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/matmul/gemm_call.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/reduce/sum.h"
#include "ops/rnn/device.h"
#include "ops/rnn/parts.h"
#include "ops/rnn/rnn.h"

namespace pt {

namespace rnn {

namespace {

const Kernel<RnnForwardFn> kForward{"rnn_forward"};
const Kernel<RnnBackwardFn> kBackward{"rnn_backward"};

bool has_shape(const Tensor& t, int64_t rows, int64_t columns) {
  return t.defined() && t.dim() == 2 && t->sizes[0] == rows && t->sizes[1] == columns;
}

Tensor workspace(int64_t size, DType t) { return empty_tensor(Dims{size}, t); }

// The bias that the product with the input can add: all of it, but for gru's inside the reset gate.
Tensor input_bias(const Layer& l, int64_t hidden) {
  if (!l.b_ih.defined()) return {};
  if (l.mode != RnnMode::kGru) return l.b_ih + l.b_hh;
  const Tensor sum = contiguous_copy(l.b_ih);
  const Tensor head = elements(sum, 0, 2 * hidden);
  copy_into(head, head + elements(l.b_hh, 0, 2 * hidden));
  return sum;
}

}  // namespace

void check_layer(const Layer& l) {
  const Tensor* all[] = {&l.input, &l.h0, &l.c0, &l.w_ih, &l.w_hh, &l.b_ih, &l.b_hh, &l.w_hr};
  for (const Tensor* t : all)
    PT_CHECK(!t->defined() || t->dtype() == l.input.dtype(),
             "rnn: expected input, states and weights to have the same dtype, but got ",
             dtype_name(l.input.dtype()), " and ", dtype_name(t->dtype()));
  PT_CHECK(l.input.dim() == 2 && l.h0.dim() == 2 && l.w_ih.dim() == 2 && l.w_hh.dim() == 2,
           "rnn: rows of input, states and weights must be matrices");
  int64_t total = 0;
  for (size_t i = 0; i < l.batch_sizes.size(); ++i) {
    PT_CHECK(l.batch_sizes[i] >= 0 && (i == 0 || l.batch_sizes[i] <= l.batch_sizes[i - 1]),
             "rnn: batch sizes must not grow or be negative");
    total += l.batch_sizes[i];
    PT_CHECK(total <= l.input->sizes[0], "rnn: batch sizes add up to more than the ",
             l.input->sizes[0], " rows of the input");
  }
  PT_CHECK(!l.batch_sizes.empty() && total == l.input->sizes[0], "rnn: batch sizes add up to ",
           total, ", but the input has ", l.input->sizes[0], " rows");
  const bool lstm = l.mode == RnnMode::kLstm;
  const int64_t gates = lstm ? 4 : l.mode == RnnMode::kGru ? 3 : 1;
  const int64_t all_gates = l.w_hh->sizes[0], hidden = all_gates / gates;
  const int64_t width = l.w_hr.defined() ? l.w_hr->sizes[0] : hidden;
  const int64_t batch = l.batch_sizes[0], features = l.input->sizes[1];
  PT_CHECK(all_gates == gates * hidden && has_shape(l.w_hh, all_gates, width),
           "rnn: hidden weight of shape ", to_text(l.w_hh.sizes()), " does not fit ", gates,
           " gates of a state of size ", width);
  PT_CHECK(has_shape(l.w_ih, all_gates, features), "rnn: input weight must be of shape [",
           all_gates, ", ", features, "], got ", to_text(l.w_ih.sizes()));
  PT_CHECK(has_shape(l.h0, batch, width), "rnn: Expected hidden size [", batch, ", ", width,
           "], got ", to_text(l.h0.sizes()));
  PT_CHECK(l.c0.defined() == lstm && (!lstm || has_shape(l.c0, batch, hidden)),
           "rnn: expected a cell state of shape [", batch, ", ", hidden, "] for lstm alone");
  PT_CHECK(!l.w_hr.defined() || (lstm && has_shape(l.w_hr, width, hidden)),
           "rnn: projection must be of shape [", width, ", ", hidden, "] and is for lstm alone");
  PT_CHECK(l.b_ih.defined() == l.b_hh.defined(), "rnn: expected both biases or none");
  for (const Tensor* b : {&l.b_ih, &l.b_hh})
    PT_CHECK(!b->defined() || (b->dim() == 1 && (*b)->sizes[0] == all_gates),
             "rnn: bias must have ", all_gates, " elements");
}

namespace {

struct Forward {
  LayerState state;
  Tensor gates, cells;
};

Forward fused_forward(const Layer& l) {
  const Geometry geometry(l);
  const RnnShape& s = geometry.shape;
  const DType t = l.input.dtype();
  const int64_t n = geometry.total, gates = s.gates();
  const bool has_cells = s.mode == RnnMode::kLstm || s.mode == RnnMode::kGru;
  Forward f;
  f.gates = empty_tensor(Dims{n, gates * s.hidden}, t);
  f.cells = empty_tensor(has_cells ? Dims{n, s.hidden} : Dims{0}, t);
  f.state.output = empty_tensor(Dims{n, s.width}, t);
  const Tensor h0 = as_contiguous(l.h0), c0 = l.c0.defined() ? as_contiguous(l.c0) : Tensor();
  const Tensor b_hn = l.b_hh.defined() && s.mode == RnnMode::kGru
                          ? as_contiguous(elements(l.b_hh, 2 * s.hidden, s.hidden))
                          : Tensor();
  gemm(f.gates, l.input, transposed(l.w_ih), "addmm", {}, input_bias(l, s.hidden));

  RnnForwardArgs a;
  a.shape = s;
  a.h0 = h0.raw();
  a.c0 = raw_or_null(c0);
  a.gates = f.gates.raw();
  a.cells = f.cells.raw();
  a.output = f.state.output.raw();
  Tensor w_hh, w_hr, raw, packed_hh, packed_hr;
  if (call_on_device) {
    if (s.hidden > 0) {
      device::run_steps(l, geometry, {h0, c0, b_hn, f.gates, f.cells, f.state.output});
    }
  } else if (s.steps == 1 && !l.w_hr.defined()) {
    // A single step: nothing is gained by packing the weight.
    if (s.mode == RnnMode::kGru) {
      gemm(columns(f.gates, 0, 2 * s.hidden), h0, transposed(rows(l.w_hh, 0, 2 * s.hidden)),
           "addmm", {.beta = 1});
      gemm(f.cells, h0, transposed(rows(l.w_hh, 2 * s.hidden, s.hidden)), "addmm", {}, b_hn);
    } else {
      gemm(f.gates, h0, transposed(l.w_hh), "addmm", {.beta = 1});
    }
  } else {
    w_hh = as_contiguous(l.w_hh);
    packed_hh = workspace(gates * rnn_packed_size(s.width, s.hidden), t);
    a.w_hh = w_hh.raw();
    a.b_hn = raw_or_null(b_hn);
    a.packed_hh = packed_hh.raw();
    if (l.w_hr.defined()) {
      w_hr = as_contiguous(l.w_hr);
      raw = empty_tensor(Dims{s.batch, s.hidden}, t);
      packed_hr = workspace(rnn_packed_size(s.hidden, s.width), t);
      a.w_hr = w_hr.raw();
      a.raw = raw.raw();
      a.packed_hr = packed_hr.raw();
    }
  }
  if (n > 0 && s.hidden > 0 && !call_on_device) kForward.get(t)(a);

  if (!has_cells) f.gates = empty_tensor(Dims{0}, t);  // the output has all that backward needs

  // The last state of every sequence: the first step's rows backwards, else where it ends.
  const auto last_rows = [&](const Tensor& steps, int64_t size) {
    const Tensor last = empty_tensor(Dims{s.batch, size}, t);
    int64_t done = 0;  // rows of steps that are shorter than those before
    for (int64_t i = s.reverse ? 0 : s.steps - 1; i >= 0; --i) {
      const int64_t here = s.batch_sizes[i];
      if (here <= done) continue;
      copy_into(rows(last, done, here - done), rows(steps, s.offsets[i] + done, here - done));
      done = here;
    }
    return last;
  };
  f.state.h_n = last_rows(f.state.output, s.width);
  f.state.c_n = l.c0.defined() ? last_rows(f.cells, s.hidden) : empty_tensor(Dims{0}, t);
  return f;
}

// What needs() answers for the parameters of rnn_layer, in order.
struct Needs {
  bool input, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr;
};

// grad_gates.T @ (the state before each row).
Tensor weight_gradient(const Layer& l, const Geometry& geometry, const Tensor& grad_gates,
                       const Tensor& output, const Tensor& h0) {
  const RnnShape& s = geometry.shape;
  const Tensor result = empty_tensor(Dims{grad_gates->sizes[1], s.width}, l.input.dtype());
  const Tensor d = transposed(grad_gates);
  const int64_t n = geometry.total, rest = n - s.batch;
  if (geometry.regular()) {
    // All but the first step come after the rows of the step before.
    const int64_t first = s.reverse ? rest : 0, others = s.reverse ? 0 : s.batch;
    gemm(result, columns(d, first, s.batch), h0, "mm");
    if (rest > 0) {
      gemm(result, columns(d, others, rest), rows(output, s.batch - others, rest), "mm",
           {.beta = 1});
    }
    return result;
  }
  const Tensor before = empty_tensor(Dims{n, s.width}, l.input.dtype());
  for (int64_t t = 0; t < s.steps; ++t) {
    const int64_t here = s.batch_sizes[t], from = s.reverse ? t + 1 : t - 1;
    const bool has = from >= 0 && from < s.steps;
    const int64_t shared = has ? std::min(here, s.batch_sizes[from]) : 0;
    if (shared)
      copy_into(rows(before, s.offsets[t], shared), rows(output, s.offsets[from], shared));
    if (here > shared) {
      copy_into(rows(before, s.offsets[t] + shared, here - shared),
                rows(h0, shared, here - shared));
    }
  }
  gemm(result, d, before, "mm");
  return result;
}

Tensor sum_of_rows(const Tensor& t) { return sum_dim(t, IntList(Dims{0}), false); }

LayerGradients fused_backward(const Layer& l, const Needs& needs, const Tensor& output,
                              const Tensor& gates, const Tensor& cells, const Tensor& grad_output,
                              const Tensor& grad_h, const Tensor& grad_c) {
  const Geometry geometry(l);
  const RnnShape& s = geometry.shape;
  const DType t = l.input.dtype();
  const int64_t n = geometry.total, gate_columns = s.gates() * s.hidden;
  const bool gru = s.mode == RnnMode::kGru;
  const bool single = s.steps == 1 && !l.w_hr.defined() && !call_on_device;
  const auto state = [&](const Tensor& grad, int64_t size) {
    return grad.defined() ? contiguous_copy(grad) : zeros_tensor(Dims{s.batch, size}, t);
  };
  const Tensor h0 = as_contiguous(l.h0), c0 = l.c0.defined() ? as_contiguous(l.c0) : Tensor();
  const Tensor w_hh = as_contiguous(l.w_hh);
  const Tensor go = grad_output.defined() ? as_contiguous(grad_output) : Tensor();
  const Tensor grad_gates = empty_tensor(Dims{n, gate_columns}, t);
  const Tensor grad_hn = gru ? empty_tensor(Dims{n, s.hidden}, t) : Tensor();
  LayerGradients g;
  g.h0 = state(grad_h, s.width);
  if (l.c0.defined()) g.c0 = state(grad_c, s.hidden);

  RnnBackwardArgs a;
  a.shape = s;
  a.h0 = h0.raw();
  a.c0 = raw_or_null(c0);
  a.gates = gates.raw();
  a.cells = cells.raw();
  a.output = output.raw();
  a.grad_output = raw_or_null(go);
  a.grad_h = g.h0.raw();
  a.grad_c = raw_or_null(g.c0);
  a.grad_gates = grad_gates.raw();
  a.grad_hn = raw_or_null(grad_hn);
  Tensor w_hr, raw, grad_width, grad_raw, packed_hh, packed_hr;
  if (call_on_device) {
    if (l.w_hr.defined()) {
      raw = empty_tensor(Dims{n, s.hidden}, t);
      grad_width = empty_tensor(Dims{n, s.width}, t);
    }
    if (s.hidden > 0) {
      device::run_steps_backward(l, geometry, {h0, c0, {}, gates, cells, output},
                                 {go, g.h0, g.c0, grad_gates, grad_hn, raw, grad_width});
    }
  } else if (!single) {
    packed_hh = workspace(rnn_packed_size(gate_columns, s.width), t);
    a.w_hh = w_hh.raw();
    a.packed_hh = packed_hh.raw();
    if (l.w_hr.defined()) {
      w_hr = as_contiguous(l.w_hr);
      raw = empty_tensor(Dims{n, s.hidden}, t);
      grad_width = empty_tensor(Dims{n, s.width}, t);
      grad_raw = empty_tensor(Dims{s.batch, s.hidden}, t);
      packed_hr = workspace(rnn_packed_size(s.width, s.hidden), t);
      a.w_hr = w_hr.raw();
      a.raw = raw.raw();
      a.grad_width = grad_width.raw();
      a.grad_raw = grad_raw.raw();
      a.packed_hr = packed_hr.raw();
    }
  }
  if (n > 0 && s.hidden > 0 && !call_on_device) kBackward.get(t)(a);

  // The gradient of the part of the gates that is made of the state: gru's differs in one gate.
  const Tensor two = gru ? columns(grad_gates, 0, 2 * s.hidden) : grad_gates;
  if (single && needs.h0) {
    const double keep = gru ? 1 : 0;
    gemm(g.h0, two, gru ? rows(w_hh, 0, 2 * s.hidden) : w_hh, "mm", {.beta = keep});
    if (gru) gemm(g.h0, grad_hn, rows(w_hh, 2 * s.hidden, s.hidden), "mm", {.beta = 1});
  }
  if (needs.input) {
    g.input = empty_tensor(l.input.sizes(), t);
    gemm(g.input, grad_gates, l.w_ih, "mm");
  }
  if (needs.w_ih) {
    g.w_ih = empty_tensor(l.w_ih.sizes(), t);
    gemm(g.w_ih, transposed(grad_gates), l.input, "mm");
  }
  if (needs.w_hh) {
    g.w_hh = weight_gradient(l, geometry, two, output, h0);
    if (gru) {
      const Tensor both = empty_tensor(l.w_hh.sizes(), t);
      copy_into(rows(both, 0, 2 * s.hidden), g.w_hh);
      copy_into(rows(both, 2 * s.hidden, s.hidden),
                weight_gradient(l, geometry, grad_hn, output, h0));
      g.w_hh = both;
    }
  }
  if (needs.b_ih || needs.b_hh) {
    g.b_ih = sum_of_rows(grad_gates);
    g.b_hh = contiguous_copy(g.b_ih);
    if (gru) copy_into(elements(g.b_hh, 2 * s.hidden, s.hidden), sum_of_rows(grad_hn));
  }
  if (needs.w_hr) {
    g.w_hr = empty_tensor(l.w_hr.sizes(), t);
    gemm(g.w_hr, transposed(grad_width), raw, "mm");
  }
  return g;
}

RnnMode mode_of(int64_t mode) {
  PT_CHECK(mode >= 0 && mode <= 3, "_rnn_layer(): mode must be from 0 to 3, got ", mode);
  return static_cast<RnnMode>(mode);
}

}  // namespace

}  // namespace rnn

PT_OP(rnn_layer)
    .on_device()
    .impl([](const Tensor& input, const Tensor& h0, const Tensor& c0, const Tensor& w_ih,
             const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh, const Tensor& w_hr,
             int64_t mode, IntList batch_sizes, bool reverse) {
      const rnn::Layer l{input,       h0,     c0, w_ih, w_hh, b_ih, b_hh, w_hr, rnn::mode_of(mode),
                         batch_sizes, reverse};
      rnn::check_layer(l);
      PT_CHECK_KIND(ErrorKind::kNotImplemented,
                    input.dtype() == DType::kFloat32 || input.dtype() == DType::kFloat64,
                    "\"_rnn_layer\" not implemented for '", dtype_name(input.dtype()), "'");
      rnn::Forward f = rnn::fused_forward(l);
      return std::make_tuple(f.state.output, f.state.h_n, f.state.c_n, f.gates, f.cells);
    })
    .saves("input, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, result, result3, result4")
    .backward([](BackwardCall& g, const Tensor& input, const Tensor& h0, const Tensor& c0,
                 const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh,
                 const Tensor& w_hr, int64_t mode, IntList batch_sizes, bool reverse) {
      const rnn::Layer l{input,       h0,     c0, w_ih, w_hh, b_ih, b_hh, w_hr, rnn::mode_of(mode),
                         batch_sizes, reverse};
      rnn::LayerGradients d;
      if (grad_enabled()) {
        d = rnn::formula_backward(l, g.grad_or_zeros(0), g.grad_or_zeros(1),
                                  c0.defined() ? g.grad_or_zeros(2) : Tensor());
      } else {
        const rnn::Needs needs{g.needs(0), g.needs(1), g.needs(2), g.needs(3),
                               g.needs(4), g.needs(5), g.needs(6), g.needs(7)};
        d = rnn::fused_backward(l, needs, g.result(0), g.result(3), g.result(4), g.grad(0),
                                g.grad(1), g.grad(2));
      }
      Tensor* all[] = {&d.input, &d.h0, &d.c0, &d.w_ih, &d.w_hh, &d.b_ih, &d.b_hh, &d.w_hr};
      for (int i = 0; i < 8; ++i)
        if (g.needs(i)) g[i] = *all[i];
    })
    .nondifferentiable_output(3)
    .nondifferentiable_output(4)
    .internal()
    .doc(
        "One recurrent layer in one direction over packed rows: its output, last states and what "
        "its gradient needs.")
    .sample("R(6, 2), R(2, 3), None, R(3, 2), R(3, 3), R(3), R(3), None, 0, [2, 2, 2], False")
    .sample("R(5, 2), R(3, 3), None, R(3, 2), R(3, 3), None, None, None, 1, [3, 1, 1], True")
    .sample(
        "R(5, 2), R(2, 3), R(2, 3), R(12, 2), R(12, 3), R(12), R(12), None, 2, [2, 2, 1], False")
    .sample("R(5, 2), R(2, 3), R(2, 3), R(12, 2), R(12, 3), R(12), R(12), None, 2, [2, 2, 1], True")
    .sample("R(5, 3), R(3, 2), R(3, 4), R(16, 3), R(16, 2), R(16), R(16), R(2, 4), 2, [3, 2], True")
    .sample("R(5, 2), R(2, 3), None, R(9, 2), R(9, 3), R(9), R(9), None, 3, [2, 2, 1], False")
    .sample("R(4, 2), R(2, 3), None, R(9, 2), R(9, 3), None, None, None, 3, [2, 2], True");

}  // namespace pt
