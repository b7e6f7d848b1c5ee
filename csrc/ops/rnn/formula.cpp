// A recurrent layer written with ops, step by step, and its gradient likewise. See layer.h.
#include "op/copy.h"
#include "ops/matmul/matmul.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/activation.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/sum.h"
#include "ops/rnn/layer.h"
#include "ops/shape/shape.h"
#include "ops/view/view.h"

namespace pt::rnn {

namespace {

// What a step's gradient needs of it.
struct Step {
  int64_t t = 0, first = 0, rows = 0;
  Tensor h_before, c_before;
  std::vector<Tensor> gates;  // activated, one a gate
  Tensor cell;                // lstm: c; gru: w_hn h + b_hn
  Tensor raw;                 // h before a projection
  Tensor h;
};

Tensor first_rows(const Tensor& t, int64_t rows) {
  return t->sizes[0] == rows ? t : narrow(t, 0, 0, rows);
}
// `t` with its first rows replaced.
Tensor with_rows(const Tensor& t, const Tensor& rows) {
  const int64_t n = rows->sizes[0];
  if (t->sizes[0] == n) return rows;
  return cat(std::vector<Tensor>{rows, narrow(t, 0, n, t->sizes[0] - n)}, 0);
}

// from_x, from_h: the gates' parts made of the input and of the state, biases included.
void run_step(const Layer& l, const Tensor& from_x, const Tensor& from_h, Step& s) {
  switch (l.mode) {
    case RnnMode::kTanh:
    case RnnMode::kRelu: {
      const Tensor sum = from_x + from_h;
      s.raw = l.mode == RnnMode::kTanh ? tanh(sum) : relu(sum);
      break;
    }
    case RnnMode::kLstm: {
      s.gates = chunk(from_x + from_h, 4, 1);
      for (size_t i = 0; i < 4; ++i) s.gates[i] = i == 2 ? tanh(s.gates[i]) : sigmoid(s.gates[i]);
      s.cell = s.gates[1] * s.c_before + s.gates[0] * s.gates[2];
      s.raw = s.gates[3] * tanh(s.cell);
      break;
    }
    case RnnMode::kGru: {
      s.gates = chunk(from_x, 3, 1);
      const std::vector<Tensor> h = chunk(from_h, 3, 1);
      s.cell = h[2];
      s.gates[0] = sigmoid(s.gates[0] + h[0]);
      s.gates[1] = sigmoid(s.gates[1] + h[1]);
      s.gates[2] = tanh(s.gates[2] + s.gates[0] * s.cell);
      s.raw = s.gates[2] + s.gates[1] * (s.h_before - s.gates[2]);
      break;
    }
  }
  s.h = l.w_hr.defined() ? linear(s.raw, l.w_hr) : s.raw;
}

// In the order in which the layer runs; `state` receives the state after the last of them.
std::vector<Step> run_steps(const Layer& l, LayerState& state) {
  const int64_t steps = static_cast<int64_t>(l.batch_sizes.size());
  std::vector<int64_t> offsets;
  int64_t total = 0;
  for (const int64_t n : l.batch_sizes) {
    offsets.push_back(total);
    total += n;
  }
  const Tensor from_x = linear(l.input, l.w_ih, l.b_ih);
  std::vector<Step> all;
  state.h_n = l.h0;
  state.c_n = l.c0;
  for (int64_t i = 0; i < steps; ++i) {
    const int64_t t = l.reverse ? steps - 1 - i : i;
    const auto at = static_cast<size_t>(t);
    Step s;
    s.t = t;
    s.first = offsets[at];
    s.rows = l.batch_sizes[at];
    s.h_before = first_rows(state.h_n, s.rows);
    if (l.c0.defined()) s.c_before = first_rows(state.c_n, s.rows);
    run_step(l, narrow(from_x, 0, s.first, s.rows), linear(s.h_before, l.w_hh, l.b_hh), s);
    state.h_n = with_rows(state.h_n, s.h);
    if (l.c0.defined()) state.c_n = with_rows(state.c_n, s.cell);
    all.push_back(std::move(s));
  }
  return all;
}

Tensor slope_of_sigmoid(const Tensor& y) { return y * (1 - y); }
Tensor slope_of_tanh(const Tensor& y) { return 1 - y * y; }

// The gradients of a step's gates before their activations: of the parts made of the input and of
// the state. `dh` is that of raw and becomes what reaches h_before past the gates, or undefined;
// `dc` becomes that of c_before.
std::pair<Tensor, Tensor> step_gradient(const Layer& l, const Step& s, Tensor& dh, Tensor& dc) {
  const std::vector<Tensor>& g = s.gates;
  switch (l.mode) {
    case RnnMode::kTanh:
    case RnnMode::kRelu: {
      const Tensor d = l.mode == RnnMode::kTanh ? dh * slope_of_tanh(s.raw)
                                                : dh * to_dtype(gt(s.raw, 0), dh.dtype());
      dh = Tensor();
      return {d, d};
    }
    case RnnMode::kLstm: {
      const Tensor tc = tanh(s.cell);
      const Tensor d = dc + dh * g[3] * slope_of_tanh(tc);
      const Tensor all =
          cat(std::vector<Tensor>{d * g[2] * slope_of_sigmoid(g[0]),
                                  d * s.c_before * slope_of_sigmoid(g[1]),
                                  d * g[0] * slope_of_tanh(g[2]), dh * tc * slope_of_sigmoid(g[3])},
              1);
      dc = d * g[1];
      dh = Tensor();
      return {all, all};
    }
    case RnnMode::kGru: {
      const Tensor dn = dh * (1 - g[1]) * slope_of_tanh(g[2]);
      const Tensor dr = dn * s.cell * slope_of_sigmoid(g[0]);
      const Tensor dz = dh * (s.h_before - g[2]) * slope_of_sigmoid(g[1]);
      dh = dh * g[1];
      return {cat(std::vector<Tensor>{dr, dz, dn}, 1),
              cat(std::vector<Tensor>{dr, dz, dn * g[0]}, 1)};
    }
  }
  return {};
}

Tensor sum_of_rows(const Tensor& t) { return sum_dim(t, IntList(Dims{0}), false); }

}  // namespace

LayerState formula_forward(const Layer& l) {
  LayerState state;
  std::vector<Step> steps = run_steps(l, state);
  std::vector<Tensor> outputs(steps.size());
  for (const Step& s : steps) outputs[static_cast<size_t>(s.t)] = s.h;
  state.output = cat(outputs, 0);
  return state;
}

LayerGradients formula_backward(const Layer& l, const Tensor& grad_output, const Tensor& grad_h,
                                const Tensor& grad_c) {
  LayerState state;
  std::vector<Step> steps = run_steps(l, state);
  const size_t count = steps.size();
  std::vector<Tensor> by_x(count), by_h(count), before(count), raw(count), widths(count);
  LayerGradients g;
  g.h0 = grad_h;
  g.c0 = grad_c;
  for (size_t i = count; i-- > 0;) {
    const Step& s = steps[i];
    Tensor dh = first_rows(g.h0, s.rows) + narrow(grad_output, 0, s.first, s.rows);
    Tensor dc = g.c0.defined() ? first_rows(g.c0, s.rows) : Tensor();
    if (l.w_hr.defined()) {
      raw[i] = s.raw;
      widths[i] = dh;
      dh = mm(dh, l.w_hr);
    }
    const auto [dx, dgates] = step_gradient(l, s, dh, dc);
    Tensor back = mm(dgates, l.w_hh);
    if (dh.defined()) back = back + dh;
    g.h0 = with_rows(g.h0, back);
    if (dc.defined()) g.c0 = with_rows(g.c0, dc);
    by_x[static_cast<size_t>(s.t)] = dx;
    by_h[i] = dgates;
    before[i] = s.h_before;
  }
  const Tensor dx = cat(by_x, 0), dgates = cat(by_h, 0);
  g.input = mm(dx, l.w_ih);
  g.w_ih = mm(t(dx), l.input);
  g.w_hh = mm(t(dgates), cat(before, 0));
  if (l.b_ih.defined()) {
    g.b_ih = sum_of_rows(dx);
    g.b_hh = sum_of_rows(dgates);
  }
  if (l.w_hr.defined()) g.w_hr = mm(t(cat(widths, 0)), cat(raw, 0));
  return g;
}

}  // namespace pt::rnn
