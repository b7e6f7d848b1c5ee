// Scaled dot product attention: the fused kernel where it fits, and a formula of ops for dropout,
// for masks that want a gradient, and for gradients of gradients.
#include "ops/attention/attention.h"

#include <cmath>

#include "cpu/attention_args.h"
#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/index/index.h"
#include "ops/matmul/matmul.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/random/random.h"
#include "ops/reduce/logic.h"
#include "ops/reduce/softmax.h"
#include "ops/reduce/sum.h"
#include "ops/shape/shape.h"
#include "ops/view/view.h"

namespace pt {

namespace {

const Kernel<AttentionFn> kForward{"attention"};
const Kernel<AttentionBackwardFn> kBackward{"attention_backward"};

constexpr double kNothing = -std::numeric_limits<double>::infinity();

// ---- the fused kernel ----

Tensor with_dense_rows(const Tensor& t) {
  return t->strides[3] == 1 || t->sizes[3] <= 1 ? t : contiguous_copy(t);
}
AttentionOperand operand(const Tensor& t) {
  if (!t.defined()) return {};
  return {t.raw(), t->strides[0], t->strides[1], t->strides[2], t->strides[3]};
}

// A new tensor of the given sizes whose heads lie within rows if those of `like` do.
Tensor laid_out_like(const Tensor& like, const Dims& sizes) {
  if (like->strides[1] >= like->strides[2]) return empty_tensor(sizes, like.dtype());
  const int64_t row = sizes[1] * sizes[3];
  return empty_strided_tensor(sizes, Dims{sizes[2] * row, sizes[3], row, 1}, like.dtype());
}

void check_operands(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
  PT_CHECK(q.dim() == 4 && k.dim() == 4 && v.dim() == 4,
           "_attention(): query, key and value must be 4-D");
  PT_CHECK(q.dtype() == k.dtype() && q.dtype() == v.dtype(),
           "_attention(): query, key and value must have the same dtype");
  PT_CHECK(k->sizes[0] == q->sizes[0] && v->sizes[0] == q->sizes[0] && k->sizes[1] == v->sizes[1] &&
               k->sizes[2] == v->sizes[2] && k->sizes[3] == q->sizes[3],
           "_attention(): sizes of query ", to_text(q.sizes()), ", key ", to_text(k.sizes()),
           " and value ", to_text(v.sizes()), " do not fit");
  PT_CHECK(q->sizes[1] == k->sizes[1] || (k->sizes[1] > 0 && q->sizes[1] % k->sizes[1] == 0),
           "_attention(): ", k->sizes[1], " heads of key do not divide ", q->sizes[1], " of query");
  if (!mask.defined()) return;
  PT_CHECK(mask.dtype() == DType::kBool || mask.dtype() == q.dtype(),
           "_attention(): attn_mask must be bool or have the dtype of query");
  PT_CHECK(same(mask.sizes(), Dims{q->sizes[0], q->sizes[1], q->sizes[2], k->sizes[2]}),
           "_attention(): attn_mask of shape ", to_text(mask.sizes()), " does not fit");
}

AttentionArgs make_args(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask,
                        bool is_causal, double scale, const Tensor& out, const Tensor& lse) {
  AttentionArgs a;
  a.batch = q->sizes[0];
  a.heads = q->sizes[1];
  a.kv_heads = k->sizes[1];
  a.rows = q->sizes[2];
  a.keys = k->sizes[2];
  a.size = q->sizes[3];
  a.value_size = v->sizes[3];
  a.q = operand(q);
  a.k = operand(k);
  a.v = operand(v);
  a.out = operand(out);
  a.mask = operand(mask);
  a.mask_is_bool = mask.defined() && mask.dtype() == DType::kBool;
  a.causal = is_causal;
  a.scale = scale;
  a.logsumexp = lse.raw();
  return a;
}

struct Gradients {
  Tensor q, k, v;
};

Gradients fused_backward(const Tensor& query, const Tensor& key, const Tensor& value,
                         const Tensor& mask, bool is_causal, double scale, const Tensor& out,
                         const Tensor& lse, const Tensor& grad) {
  const Tensor q = with_dense_rows(query), k = with_dense_rows(key), v = with_dense_rows(value);
  const Tensor g = with_dense_rows(grad);
  const Tensor dots = empty_tensor(lse.sizes(), lse.dtype());
  Gradients d{laid_out_like(q, q.sizes()), laid_out_like(k, k.sizes()),
              laid_out_like(v, v.sizes())};
  AttentionBackwardArgs b;
  b.forward = make_args(q, k, v, mask, is_causal, scale, out, lse);
  b.grad_out = operand(g);
  b.grad_q = operand(d.q);
  b.grad_k = operand(d.k);
  b.grad_v = operand(d.v);
  b.dots = dots.raw();
  kBackward.get(q.dtype())(b);
  return d;
}

// ---- the formula ----

struct Weights {
  Tensor scaled_query;
  Tensor weights;
};

// True where a key comes after the row.
Tensor later_keys(int64_t rows, int64_t keys, Device device) {
  return triu(ones(Dims{rows, keys}, DType::kBool, std::nullopt, device, false), 1);
}

// softmax(scale * q @ k.T + mask); a row whose scores are all -inf gets zeros.
Weights make_weights(const Tensor& q, const Tensor& k, const Tensor& mask, bool is_causal,
                     double scale) {
  const Tensor scaled = q * scale;
  Tensor scores = matmul(scaled, transpose(k, -2, -1));
  if (is_causal) {
    scores = masked_fill(scores, later_keys(q.size(-2), k.size(-2), q.device()), kNothing);
  }
  if (!mask.defined()) return {scaled, softmax(scores, -1)};
  scores = mask.dtype() == DType::kBool ? masked_fill(scores, logical_not(mask), kNothing)
                                        : scores + to_dtype(mask, scores.dtype());
  if (scores.size(-1) == 0) return {scaled, scores};
  const Tensor empty = all_dim(eq(detach(scores), kNothing), -1, true);
  return {scaled, masked_fill(softmax(masked_fill(scores, empty, 0), -1), empty, 0)};
}

// Each head of k or v as often as heads of q share it.
Tensor repeat_heads(const Tensor& t, int64_t times) {
  return times == 1 ? t : repeat_interleave(t, times, t.dim() - 3);
}
Tensor sum_heads(const Tensor& t, int64_t times) {
  if (times == 1) return t;
  const Dims& s = t.sizes();
  const Dims split{s[0], s[1] / times, times, s[2], s[3]};
  return sum_dim(reshape(t, IntList(split)), IntList(Dims{2}), false);
}

Gradients formula_backward(const Tensor& q, const Tensor& key, const Tensor& value,
                           const Tensor& mask, bool is_causal, double scale, const Tensor& grad) {
  const int64_t group = key->sizes[1] ? q->sizes[1] / key->sizes[1] : 1;
  const Tensor k = repeat_heads(key, group), v = repeat_heads(value, group);
  const auto [scaled, w] = make_weights(q, k, mask, is_causal, scale);
  const Tensor d = softmax_backward(matmul(grad, transpose(v, 2, 3)), w, -1);
  return {matmul(d, k) * scale, sum_heads(matmul(transpose(d, 2, 3), scaled), group),
          sum_heads(matmul(transpose(w, 2, 3), grad), group)};
}

// ---- shapes ----

Dims leading(const Tensor& t) {
  Dims d;
  for (int i = 0; i + 2 < t.dim(); ++i) d.push_back(t->sizes[i]);
  return d;
}
Tensor expanded(const Tensor& t, Dims batch, int64_t rows, int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return same(t.sizes(), batch) ? t : expand(t, IntList(batch));
}
// As (batch, heads, rows, columns).
Tensor to_4d(const Tensor& t) {
  const int n = t.dim();
  if (n == 4) return t;
  if (n == 3) return unsqueeze(t, 1);
  if (n == 2) return unsqueeze(unsqueeze(t, 0), 0);
  return reshape(t, IntList(Dims{checked_numel(leading(t)), 1, t->sizes[n - 2], t->sizes[n - 1]}));
}

}  // namespace

PT_OP(attention)
    .on_device()
    .impl([](const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask,
             bool is_causal, double scale) {
      check_operands(query, key, value, mask);
      auto* fn = kForward.get(query.dtype());
      PT_CHECK_KIND(ErrorKind::kNotImplemented, fn, "\"_attention\" not implemented for '",
                    dtype_name(query.dtype()), "'");
      const Tensor q = with_dense_rows(query), k = with_dense_rows(key), v = with_dense_rows(value);
      const Dims shape{q->sizes[0], q->sizes[1], q->sizes[2], v->sizes[3]};
      const bool like_query = q->sizes[3] == v->sizes[3];
      const Tensor out = like_query ? laid_out_like(query, shape) : empty_tensor(shape, q.dtype());
      const Tensor lse = empty_tensor(Dims{q->sizes[0], q->sizes[1], q->sizes[2]}, q.dtype());
      fn(make_args(q, k, v, mask, is_causal, scale, out, lse));
      return std::make_tuple(out, lse);
    })
    .saves("query, key, value, attn_mask, result, result1")
    .backward([](BackwardCall& g, const Tensor& query, const Tensor& key, const Tensor& value,
                 const Tensor& mask, bool is_causal, double scale) {
      const Gradients d =
          grad_enabled()
              ? formula_backward(query, key, value, mask, is_causal, scale, g.grad_or_zeros(0))
              : fused_backward(query, key, value, mask, is_causal, scale, g.result(0), g.result(1),
                               g.grad_or_zeros(0));
      if (g.needs(0)) g[0] = d.q;
      if (g.needs(1)) g[1] = d.k;
      if (g.needs(2)) g[2] = d.v;
    })
    .nondifferentiable_output(1)
    .internal()
    .doc("softmax(scale * query @ key.T + attn_mask) @ value without storing the weights.")
    .sample("R(2, 2, 3, 4), R(2, 2, 5, 4), R(2, 2, 5, 3), None, False, 0.5")
    .sample("R(1, 4, 3, 2), R(1, 2, 4, 2), R(1, 2, 4, 2), None, True, 0.7")
    .sample("R(1, 2, 3, 2), R(1, 2, 4, 2), R(1, 2, 4, 2), B(1, 2, 3, 4), False, 0.7");

PT_OP(scaled_dot_product_attention)
    .composite([](const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask,
                  double dropout_p, bool is_causal, std::optional<double> given_scale,
                  bool enable_gqa) {
      constexpr const char* name = "scaled_dot_product_attention(): ";
      PT_CHECK(query.dtype() == key.dtype() && query.dtype() == value.dtype(),
               "Expected query, key, and value to have the same dtype, but got query.dtype: ",
               dtype_name(query.dtype()), " key.dtype: ", dtype_name(key.dtype()),
               " and value.dtype: ", dtype_name(value.dtype()), " instead.");
      PT_CHECK(query.dim() >= 2 && key.dim() >= 2 && value.dim() >= 2,
               "Expected query, key, and value to all be  at least 2 dimensional, but got "
               "query.dim: ",
               query.dim(), " key.dim: ", key.dim(), " and value.dim: ", value.dim(), " instead.");
      PT_CHECK(query.is_floating(), name, "expected a floating-point dtype, got ",
               dtype_name(query.dtype()));
      PT_CHECK(!mask.defined() || mask.dtype() == DType::kBool || mask.dtype() == DType::kFloat32 ||
                   mask.dtype() == query.dtype(),
               "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
               "attn_mask.dtype: ",
               mask.defined() ? dtype_name(mask.dtype()) : "",
               " and  query.dtype: ", dtype_name(query.dtype()), " instead.");
      PT_CHECK(dropout_p >= 0 && dropout_p <= 1,
               "dropout probability has to be between 0 and 1, but got ", dropout_p);
      const int64_t size = query.size(-1), rows = query.size(-2), keys = key.size(-2);
      PT_CHECK(key.size(-1) == size, name, "query has size ", size, " and key ", key.size(-1));
      PT_CHECK(value.size(-2) == keys, name, "key has length ", keys, " and value ",
               value.size(-2));
      const double scale = given_scale.value_or(1.0 / std::sqrt(static_cast<double>(size)));

      Tensor q = query, k = key, v = value;
      Dims batch;
      if (enable_gqa) {
        PT_CHECK_KIND(ErrorKind::kIndex, q.dim() >= 3 && k.dim() >= 3 && v.dim() >= 3, name,
                      "enable_gqa needs a dimension of heads");
        const int64_t heads = q.size(-3), of_key = k.size(-3), of_value = v.size(-3);
        PT_CHECK(of_key > 0 && of_value > 0 && heads % of_key == 0 && heads % of_value == 0,
                 "Number of heads in key and value must divide the number of heads in query, but "
                 "got ",
                 of_key, ", ", of_value, " and ", heads);
        batch = leading(q);
        if (of_key != of_value || q.dim() != 4 || k.dim() != 4 || v.dim() != 4 ||
            k->sizes[0] != q->sizes[0] || v->sizes[0] != q->sizes[0]) {
          k = repeat_heads(k, heads / of_key);
          v = repeat_heads(v, heads / of_value);
          enable_gqa = false;
        }
      }
      if (!enable_gqa) {
        batch = broadcast_shapes(broadcast_shapes(leading(q), leading(k)), leading(v));
        q = expanded(q, batch, rows, size);
        k = expanded(k, batch, keys, size);
        v = expanded(v, batch, keys, v.size(-1));
      }
      const Tensor m = mask.defined() ? expanded(mask, batch, rows, keys) : mask;
      const bool mask_wants_grad = mask.defined() && grad_enabled() && mask.requires_grad();
      if (dropout_p > 0 || mask_wants_grad) {
        PT_CHECK(!mask.defined() || !is_causal,
                 "_scaled_dot_product_attention: Explicit attn_mask should not be set when "
                 "is_causal=True");
        const int64_t group = enable_gqa ? q.size(-3) / k.size(-3) : 1;
        const Tensor w = make_weights(q, repeat_heads(k, group), mask, is_causal, scale).weights;
        return matmul(dropout(w, dropout_p, true), repeat_heads(v, group));
      }
      const DType t = q.dtype(), compute = is_half(t) ? DType::kFloat32 : t;
      const auto fit = [compute](const Tensor& x) { return to_4d(to_dtype(x, compute)); };
      Tensor fitted = m;
      if (m.defined()) fitted = m.dtype() == DType::kBool ? to_4d(m) : fit(m);
      Tensor out = std::get<0>(attention(fit(q), fit(k), fit(v), fitted, is_causal, scale));
      if (q.dim() != 4) {
        batch.push_back(rows);
        batch.push_back(v.size(-1));
        out = reshape(out, IntList(batch));
      }
      return to_dtype(out, t);
    })
    .internal()
    .doc(
        "softmax(scale * query @ key.T + attn_mask) @ value.\n\n"
        "Args:\n    query: (..., length, size)\n    key: (..., keys, size)\n"
        "    value: (..., keys, value size)\n"
        "    attn_mask: broadcastable to (..., length, keys); bool (False: not attended) or added\n"
        "    dropout_p (float): probability of dropping a weight\n"
        "    is_causal (bool): row i attends to keys 0 to i\n"
        "    scale (float): default 1 / sqrt(size)\n"
        "    enable_gqa (bool): key and value may have fewer heads (dimension -3) than query\n\n"
        "Vaswani et al., \"Attention is all you need\", 2017.")
    .sample("R(2, 2, 3, 4), R(2, 2, 5, 4), R(2, 2, 5, 4)")
    .sample("R(1, 2, 3, 4), R(1, 2, 3, 4), R(1, 2, 3, 4), is_causal=True, scale=0.3")
    .sample("R(1, 2, 3, 4), R(1, 2, 3, 4), R(1, 2, 3, 4), B(3, 3)")
    .sample("R(1, 2, 3, 4), R(1, 2, 3, 4), R(1, 2, 3, 4), R(1, 1, 3, 3)")
    .sample("R(1, 4, 5, 3), R(1, 2, 6, 3), R(1, 2, 6, 3), enable_gqa=True")
    .sample("R(2, 3, 4), R(2, 5, 4), R(2, 5, 2)")
    .sample("R(3, 4), R(5, 4), R(5, 4), None, 0.0, True");

}  // namespace pt
