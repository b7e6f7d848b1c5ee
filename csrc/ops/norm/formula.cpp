// See formula.h.
#include "ops/norm/formula.h"

#include "op/copy.h"
#include "ops/index/selection.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/sum.h"

namespace pt {

Tensor numbers(const Tensor& t) { return as_contiguous(cast_to(t, DType::kFloat64)); }

DType check_parameters(const Tensor& input, std::initializer_list<const Tensor*> parameters) {
  const DType t = input.dtype();
  DType found = t;
  bool first = true;
  for (const Tensor* p : parameters) {
    if (!p->defined()) continue;
    if (is_half(t)) {
      PT_CHECK(p->dtype() == t || p->dtype() == DType::kFloat32,
               "mixed dtype (CPU): expect parameter to have scalar type of Float");
      PT_CHECK(first || p->dtype() == found,
               "mixed dtype (CPU): all the parameters must share same datatype.");
    } else {
      PT_CHECK(p->dtype() == t, "mixed dtype (CPU): all inputs must share same datatype.");
    }
    found = p->dtype();
    first = false;
  }
  return found;
}

namespace {

Tensor sum_of(const Tensor& a, const Tensor& b) {
  if (!a.defined()) return b;
  return b.defined() ? add(a, b) : a;
}

}  // namespace

// With m() the mean over the dimensions and y' the normalized x, the gradient of x is
// J(h) = rstd * (h - m(h) - y' m(h y')) of h = grad * weight. J is linear and its own transpose; by
// x, the sum of v J(h) has the derivative
//   -rstd * (rstd y' (m(v h) - m(v) m(h) - a b) + b J(v) + a J(h)),  a = m(v y'), b = m(h y').
SecondGradient second_gradient(const Normalization& n, const Tensor& grad, const Tensor& v,
                               const Tensor& v_weight, const Tensor& v_bias) {
  const auto m = [&n](const Tensor& t) { return mean_dim(t, n.dims, true); };
  const Tensor shifted = n.centred ? sub(n.x, m(n.x)) : n.x;
  const Tensor rstd = rsqrt(add(m(mul(shifted, shifted)), n.eps));
  const Tensor unit = mul(shifted, rstd);
  const auto weighed = [&n](const Tensor& t) { return n.weight.defined() ? mul(t, n.weight) : t; };
  const auto projected = [&](const Tensor& t) {
    const Tensor rest = sub(t, mul(unit, m(mul(t, unit))));
    return mul(n.centred ? sub(rest, m(t)) : rest, rstd);
  };
  SecondGradient out;
  if (v.defined()) {
    const Tensor h = weighed(grad), jv = projected(v);
    out.grad = weighed(jv);
    out.weight = mul(grad, jv);
    const Tensor a = m(mul(v, unit)), b = m(mul(h, unit));
    Tensor c = sub(m(mul(v, h)), mul(a, b));
    if (n.centred) c = sub(c, mul(m(v), m(h)));
    const Tensor bent = add(mul(mul(rstd, unit), c), add(mul(b, jv), mul(a, projected(h))));
    out.x = neg(mul(rstd, bent));
  }
  if (v_weight.defined()) {
    out.grad = sum_of(out.grad, mul(v_weight, unit));
    out.x = sum_of(out.x, projected(mul(v_weight, grad)));
  }
  out.grad = sum_of(out.grad, v_bias);
  return out;
}

}  // namespace pt
