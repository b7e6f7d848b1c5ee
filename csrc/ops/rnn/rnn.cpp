// Stacks of recurrent layers, for padded and for packed sequences, and single cells.
#include "ops/rnn/rnn.h"

#include "cpu/rnn_args.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/random/random.h"
#include "ops/rnn/layer.h"
#include "ops/shape/shape.h"
#include "ops/view/view.h"

namespace pt {

namespace {

struct Stack {
  RnnMode mode;
  bool has_biases;
  int64_t num_layers;
  double dropout;
  bool train, bidirectional;
};

rnn::LayerState run_layer(const Tensor& input, const Tensor& h0, const Tensor& c0,
                          const Tensor* params, bool has_biases, bool has_projection, RnnMode mode,
                          IntList batch_sizes, bool reverse) {
  const Tensor none, &b_ih = has_biases ? params[2] : none, &b_hh = has_biases ? params[3] : none,
                     &w_hr = has_projection ? params[has_biases ? 4 : 2] : none;
  if (input.dtype() != DType::kFloat32 && input.dtype() != DType::kFloat64) {
    const bool gated = mode == RnnMode::kLstm || mode == RnnMode::kGru;
    PT_CHECK(input.is_floating() || !gated, "rnn: expected a floating-point input, got ",
             dtype_name(input.dtype()));
    const rnn::Layer l{input, h0,   c0,   params[0],   params[1], b_ih,
                       b_hh,  w_hr, mode, batch_sizes, reverse};
    rnn::check_layer(l);
    return rnn::formula_forward(l);
  }
  auto [output, h_n, c_n, gates, cells] =
      rnn_layer(input, h0, c0, params[0], params[1], b_ih, b_hh, w_hr, static_cast<int64_t>(mode),
                batch_sizes, reverse);
  return {output, h_n, c_n};
}

// `input` are the rows of all steps; `h`, `c` are [layers * directions, batch, size].
rnn::LayerState run_stack(const Stack& s, Tensor input, const Tensor& h, const Tensor& c,
                          TensorList params, IntList batch_sizes) {
  const int64_t directions = s.bidirectional ? 2 : 1;
  PT_CHECK(h.dim() == 3, "rnn: hx must be 3-D, got ", h.dim(), "-D");
  PT_CHECK(!c.defined() || c.dim() == 3, "lstm(): the cell state must be 3-D, got ",
           c.defined() ? c.dim() : 0, "-D");
  PT_CHECK(s.num_layers > 0, "rnn: num_layers must be positive, got ", s.num_layers);
  PT_CHECK(s.num_layers <= h->sizes[0] && h->sizes[0] == s.num_layers * directions &&
               (!c.defined() || c->sizes[0] == h->sizes[0]),
           "rnn: expected initial states of ", s.num_layers, " layers in ", directions,
           " directions, got ", h->sizes[0]);
  const bool projected = c.defined() && h->sizes[2] != c->sizes[2];
  const int64_t of_layer = 2 + (s.has_biases ? 2 : 0) + (projected ? 1 : 0);
  PT_CHECK(static_cast<int64_t>(params.size()) == of_layer * h->sizes[0], "rnn: expected ",
           of_layer * h->sizes[0], " parameters, got ", params.size());
  std::vector<Tensor> last_h, last_c;
  for (int64_t layer = 0; layer < s.num_layers; ++layer) {
    std::vector<Tensor> outputs;
    for (int64_t d = 0; d < directions; ++d) {
      const int64_t i = layer * directions + d;
      rnn::LayerState state = run_layer(
          input, select(h, 0, i), c.defined() ? select(c, 0, i) : Tensor(),
          params.data() + i * of_layer, s.has_biases, projected, s.mode, batch_sizes, d == 1);
      outputs.push_back(std::move(state.output));
      last_h.push_back(std::move(state.h_n));
      last_c.push_back(std::move(state.c_n));
    }
    input = directions == 1 ? outputs[0] : cat(outputs, 1);
    if (s.dropout != 0 && s.train && layer + 1 < s.num_layers)
      input = dropout(input, s.dropout, true);
  }
  const auto joined = [](const std::vector<Tensor>& all) {
    return all.size() == 1 ? unsqueeze(all[0], 0) : stack(all, 0);
  };
  return {input, joined(last_h), c.defined() ? joined(last_c) : Tensor()};
}

rnn::LayerState run_padded(const Stack& s, const Tensor& input, const Tensor& h, const Tensor& c,
                           TensorList params, bool batch_first) {
  PT_CHECK(input.dim() == 3, "rnn: input must be 3-D, got ", input.dim(), "-D");
  const Tensor x = batch_first ? transpose(input, 0, 1) : input;
  const int64_t steps = x->sizes[0], batch = x->sizes[1];
  PT_CHECK(steps > 0, "Expected sequence length to be larger than 0 in RNN");
  const std::vector<int64_t> sizes(static_cast<size_t>(steps), batch);
  rnn::LayerState r = run_stack(s, reshape(x, IntList(Dims{steps * batch, x->sizes[2]})), h, c,
                                params, IntList(sizes));
  r.output = view(r.output, IntList(Dims{steps, batch, r.output->sizes[1]}));
  if (batch_first) r.output = transpose(r.output, 0, 1);
  return r;
}

rnn::LayerState run_packed(const Stack& s, const Tensor& data, const Tensor& batch_sizes,
                           const Tensor& h, const Tensor& c, TensorList params) {
  PT_CHECK(data.dim() == 2, "rnn: packed data must be 2-D, got ", data.dim(), "-D");
  PT_CHECK(
      batch_sizes.dim() == 1 && batch_sizes.dtype() == DType::kInt64 && batch_sizes.numel() > 0,
      "rnn: batch_sizes must be a vector of int64");
  const Tensor sizes = as_contiguous(copy_to(batch_sizes, DType::kInt64, Device()));
  return run_stack(s, data, h, c, params,
                   IntList(sizes.data<int64_t>(), static_cast<size_t>(sizes.numel())));
}

Tensor only(TensorList hx, size_t i) {
  PT_CHECK(hx.size() == 2, "lstm expects two hidden states");
  return hx[i];
}

// A cell is a layer of one step. hx and cx are [batch, size].
rnn::LayerState run_cell(RnnMode mode, const Tensor& input, const Tensor& h, const Tensor& c,
                         const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                         const Tensor& b_hh) {
  PT_CHECK(input.dim() == 2 && h.dim() == 2, "rnn cell: input and state must be 2-D, got ",
           input.dim(), "-D and ", h.dim(), "-D");
  PT_CHECK(b_ih.defined() == b_hh.defined(), "rnn cell: expected both biases or none");
  const Tensor params[] = {w_ih, w_hh, b_ih, b_hh};
  const int64_t sizes[] = {input->sizes[0]};
  return run_layer(input, h, c, params, b_ih.defined(), false, mode, IntList(sizes), false);
}

}  // namespace

PT_OP(lstm)
    .composite([](const Tensor& input, TensorList hx, TensorList params, bool has_biases,
                  int64_t num_layers, double dropout, bool train, bool bidirectional,
                  bool batch_first) {
      const Stack s{RnnMode::kLstm, has_biases, num_layers, dropout, train, bidirectional};
      auto r = run_padded(s, input, only(hx, 0), only(hx, 1), params, batch_first);
      return std::make_tuple(r.output, r.h_n, r.c_n);
    })
    .function_only()
    .doc(
        "A stack of LSTM layers; nn.LSTM calls it.\n\n"
        "Args:\n    input: (seq, batch, features), or (batch, seq, features) with batch_first\n"
        "    hx: initial hidden and cell state, each (layers * directions, batch, size)\n"
        "    params: for each layer and direction w_ih, w_hh, b_ih, b_hh, w_hr, those there are\n"
        "    dropout (float): between layers, while train is True\n\n"
        "Returns the outputs of the last layer and the last hidden and cell states.\n\n"
        "Hochreiter and Schmidhuber, \"Long short-term memory\", 1997.")
    .sample(
        "R(3, 2, 2), [R(1, 2, 3), R(1, 2, 3)], [R(12, 2), R(12, 3), R(12), R(12)], True, 1, 0.0, "
        "True, False, False")
    .sample(
        "R(2, 3, 2), [R(2, 2, 2), R(2, 2, 2)], [R(8, 2), R(8, 2), R(8, 2), R(8, 2)], False, 1, "
        "0.0, False, True, True")
    .sample(
        "R(2, 2, 2), [R(2, 2, 1), R(2, 2, 2)], [R(8, 2), R(8, 1), R(8), R(8), R(1, 2), R(8, 1), "
        "R(8, 1), R(8), R(8), R(1, 2)], True, 2, 0.0, True, False, False");

PT_OP(lstm_packed)
    .composite([](const Tensor& data, const Tensor& batch_sizes, TensorList hx, TensorList params,
                  bool has_biases, int64_t num_layers, double dropout, bool train,
                  bool bidirectional) {
      const Stack s{RnnMode::kLstm, has_biases, num_layers, dropout, train, bidirectional};
      auto r = run_packed(s, data, batch_sizes, only(hx, 0), only(hx, 1), params);
      return std::make_tuple(r.output, r.h_n, r.c_n);
    })
    .function_only()
    .sample(
        "R(4, 2), torch.tensor([2, 1, 1]), [R(1, 2, 3), R(1, 2, 3)], [R(12, 2), R(12, 3), R(12), "
        "R(12)], True, 1, 0.0, True, False");

// Ops whose state is one tensor: (name, packed name, mode, sample's weights).
#define PT_RNN_OP(op, mode_)                                                                   \
  PT_OP(op)                                                                                    \
      .composite([](const Tensor& input, const Tensor& hx, TensorList params, bool has_biases, \
                    int64_t num_layers, double dropout, bool train, bool bidirectional,        \
                    bool batch_first) {                                                        \
        const Stack s{mode_, has_biases, num_layers, dropout, train, bidirectional};           \
        auto r = run_padded(s, input, hx, Tensor(), params, batch_first);                      \
        return std::make_tuple(r.output, r.h_n);                                               \
      })                                                                                       \
      .function_only()
#define PT_PACKED_RNN_OP(op, mode_)                                                         \
  PT_OP(op)                                                                                 \
      .composite([](const Tensor& data, const Tensor& batch_sizes, const Tensor& hx,        \
                    TensorList params, bool has_biases, int64_t num_layers, double dropout, \
                    bool train, bool bidirectional) {                                       \
        const Stack s{mode_, has_biases, num_layers, dropout, train, bidirectional};        \
        auto r = run_packed(s, data, batch_sizes, hx, Tensor(), params);                    \
        return std::make_tuple(r.output, r.h_n);                                            \
      })                                                                                    \
      .function_only()

PT_RNN_OP(gru, RnnMode::kGru)
    .doc(
        "A stack of GRU layers; nn.GRU calls it. Arguments are those of lstm(), with one state.\n\n"
        "Cho et al., \"Learning phrase representations using RNN encoder-decoder\", 2014.")
    .sample(
        "R(3, 2, 2), R(1, 2, 3), [R(9, 2), R(9, 3), R(9), R(9)], True, 1, 0.0, True, False, "
        "False")
    .sample(
        "R(2, 3, 2), R(2, 2, 2), [R(6, 2), R(6, 2), R(6, 2), R(6, 2)], False, 1, 0.0, True, "
        "True, True");
PT_PACKED_RNN_OP(gru_packed, RnnMode::kGru)
    .sample(
        "R(4, 2), torch.tensor([2, 1, 1]), R(1, 2, 3), [R(9, 2), R(9, 3), R(9), R(9)], True, "
        "1, 0.0, True, False");

PT_RNN_OP(rnn_tanh, RnnMode::kTanh)
    .doc(
        "A stack of layers h' = tanh(w_ih x + b_ih + w_hh h + b_hh); nn.RNN calls it. Arguments "
        "are those of lstm(), with one state.")
    .sample(
        "R(3, 2, 2), R(1, 2, 3), [R(3, 2), R(3, 3), R(3), R(3)], True, 1, 0.0, True, False, "
        "False")
    .test("unstable");
PT_PACKED_RNN_OP(rnn_tanh_packed, RnnMode::kTanh)
    .sample(
        "R(4, 2), torch.tensor([2, 1, 1]), R(1, 2, 3), [R(3, 2), R(3, 3), R(3), R(3)], True, "
        "1, 0.0, True, False");

PT_RNN_OP(rnn_relu, RnnMode::kRelu)
    .doc(
        "A stack of layers h' = relu(w_ih x + b_ih + w_hh h + b_hh); nn.RNN calls it. Arguments "
        "are those of lstm(), with one state.")
    .sample(
        "R(3, 2, 2), R(1, 2, 3), [R(3, 2), R(3, 3), R(3), R(3)], True, 1, 0.0, True, False, "
        "False")
    .test("unstable");
PT_PACKED_RNN_OP(rnn_relu_packed, RnnMode::kRelu)
    .sample(
        "R(4, 2), torch.tensor([2, 1, 1]), R(1, 2, 3), [R(3, 2), R(3, 3), R(3), R(3)], True, "
        "1, 0.0, True, False");

#undef PT_RNN_OP
#undef PT_PACKED_RNN_OP

PT_OP(lstm_cell)
    .composite([](const Tensor& input, TensorList hx, const Tensor& w_ih, const Tensor& w_hh,
                  const Tensor& b_ih, const Tensor& b_hh) {
      auto r = run_cell(RnnMode::kLstm, input, only(hx, 0), only(hx, 1), w_ih, w_hh, b_ih, b_hh);
      return std::make_tuple(r.h_n, r.c_n);
    })
    .function_only()
    .doc("One step of an LSTM: the new hidden and cell state of (batch, features) inputs.")
    .sample("R(2, 2), [R(2, 3), R(2, 3)], R(12, 2), R(12, 3), R(12), R(12)")
    .sample("R(2, 2), [R(2, 3), R(2, 3)], R(12, 2), R(12, 3)");

PT_OP(gru_cell)
    .composite([](const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh,
                  const Tensor& b_ih, const Tensor& b_hh) {
      return run_cell(RnnMode::kGru, input, hx, Tensor(), w_ih, w_hh, b_ih, b_hh).h_n;
    })
    .function_only()
    .doc("One step of a GRU: the new state of (batch, features) inputs.")
    .sample("R(2, 2), R(2, 3), R(9, 2), R(9, 3), R(9), R(9)");

PT_OP(rnn_tanh_cell)
    .composite([](const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh,
                  const Tensor& b_ih, const Tensor& b_hh) {
      return run_cell(RnnMode::kTanh, input, hx, Tensor(), w_ih, w_hh, b_ih, b_hh).h_n;
    })
    .function_only()
    .doc("tanh(w_ih x + b_ih + w_hh h + b_hh) of (batch, features) inputs.")
    .sample("R(2, 2), R(2, 3), R(3, 2), R(3, 3), R(3), R(3)");

PT_OP(rnn_relu_cell)
    .composite([](const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh,
                  const Tensor& b_ih, const Tensor& b_hh) {
      return run_cell(RnnMode::kRelu, input, hx, Tensor(), w_ih, w_hh, b_ih, b_hh).h_n;
    })
    .function_only()
    .doc("relu(w_ih x + b_ih + w_hh h + b_hh) of (batch, features) inputs.")
    .sample("R(2, 2), R(2, 3), R(3, 2), R(3, 3), R(3), R(3)");

}  // namespace pt
