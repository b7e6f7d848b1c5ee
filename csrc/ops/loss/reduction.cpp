// Running elementwise losses. See reduction.h.
#include "ops/loss/reduction.h"

#include "op/copy.h"
#include "op/promote.h"
#include "ops/index/selection.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/reduce/sum.h"
#include "ops/view/view.h"

namespace pt {

namespace {

// The operands as arrays of the same order of elements.
struct Arrays {
  Tensor operand[4];  // self, target, extra, weight
  DType dtype;
  Dims shape, strides;

  Arrays(const ElementLoss& loss, const Tensor& self, const Tensor& target, const Tensor& extra,
         const Tensor& weight) {
    const Tensor* given[] = {&self, &target, &extra, &weight};
    const Value pair[] = {Value::of(self), Value::of(target)};
    dtype = result_type(pair);
    if (loss.integers && !is_floating(dtype)) dtype = default_dtype();
    shape = self.sizes();
    for (const Tensor* t : given) {
      if (t->defined() && !same(shape, t->sizes())) shape = broadcast_shapes(shape, t->sizes());
    }
    // Any order of dense elements does when it is that of all operands.
    strides = self.strides();
    bool same_order = is_non_overlapping_and_dense(self.impl());
    for (const Tensor* t : given) {
      if (t->defined())
        same_order = same_order && same(shape, t->sizes()) && same(strides, t->strides());
    }
    if (!same_order) strides = contiguous_strides(shape);
    for (int i = 0; i < 4; ++i) {
      if (!given[i]->defined()) continue;
      operand[i] = cast_to(*given[i], dtype);
      if (!same_order) operand[i] = arranged(operand[i]);
    }
  }
  Tensor arranged(const Tensor& t) const {
    if (same(t.sizes(), shape)) {
      if (same(t.strides(), strides)) return t;
      if (same(strides, contiguous_strides(shape))) return as_contiguous(t);
    }
    const Tensor copy = empty_strided_tensor(shape, strides, t.dtype());
    copy_into(copy, t);
    return copy;
  }
  void fill(ElementLossArgs& a) const {
    for (int i = 0; i < 3; ++i) a.in[i] = operand[i].defined() ? operand[i].raw() : nullptr;
    a.weight = operand[3].defined() ? operand[3].raw() : nullptr;
    a.n = operand[0].numel();
  }
};

ElementLossFn* function_of(const ElementLoss& loss, DType t) {
  ElementLossFn* fn = loss.kernel.get(t);
  PT_CHECK_KIND(ErrorKind::kNotImplemented, fn, "\"", loss.name, "\" not implemented for '",
                scalar_type_name(t), "'");
  return fn;
}

// The device makes the result itself. Inputs at fault are not looked for: their losses are NaN.
Tensor loss_on_device(const Arrays& arrays, ElementLossFn* fn, ElementLossArgs& a,
                      LossReduction how) {
  Tensor out;
  if (how == LossReduction::kNone) {
    out = empty_strided_tensor(arrays.shape, arrays.strides, arrays.dtype);
    a.out = out.raw();
  } else {
    out = empty_tensor(Dims(), arrays.dtype);
    a.total = static_cast<double*>(out.raw());
    if (how == LossReduction::kMean) a.scale = 1 / static_cast<double>(a.n);
  }
  fn(a);
  return out;
}

}  // namespace

Tensor reduce_loss(const Tensor& losses, int64_t reduction) {
  switch (loss_reduction(reduction)) {
    case LossReduction::kMean:
      return mean(losses);
    case LossReduction::kSum:
      return sum(losses);
    default:
      return losses;
  }
}

Tensor element_grad(const Tensor& grad, int64_t reduction, int64_t n) {
  if (loss_reduction(reduction) != LossReduction::kMean) return grad;
  return div(grad, static_cast<double>(n));
}

double sum_in_order(const double* v, int64_t n) {
  double part[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int j = 0; j < 8; ++j) part[j] += v[i + j];
  for (; i < n; ++i) part[0] += v[i];
  return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

Dims loss_shape(std::initializer_list<const Tensor*> operands) {
  Dims shape;
  for (const Tensor* t : operands)
    if (t->defined()) shape = broadcast_shapes(shape, t->sizes());
  return shape;
}

Tensor run_loss(const ElementLoss& loss, int64_t reduction, const Tensor& self,
                const Tensor& target, const Tensor& weight, const Tensor& extra) {
  const LossReduction how = loss_reduction(reduction);
  const Arrays arrays(loss, self, target, extra, weight);
  ElementLossFn* fn = function_of(loss, arrays.dtype);
  ElementLossArgs a;
  arrays.fill(a);
  a.parameter = loss.parameter;
  if (call_on_device) {
    if (loss.on_nan) loss.on_nan(self, target);
    return loss_on_device(arrays, fn, a, how);
  }
  double total = 0;
  if (how != LossReduction::kNone || loss.on_nan) a.total = &total;
  Tensor out;
  if (how == LossReduction::kNone) {
    out = empty_strided_tensor(arrays.shape, arrays.strides, arrays.dtype);
    a.out = out.raw();
  }
  fn(a);
  if (total != total && loss.on_nan) loss.on_nan(self, target);
  if (out.defined()) return out;
  if (how == LossReduction::kMean) total /= static_cast<double>(a.n);
  return scalar_tensor(Scalar(total), arrays.dtype);
}

Tensor run_loss_slope(const ElementLoss& loss, const Tensor& grad, int64_t reduction,
                      const Tensor& self, const Tensor& target, const Tensor& weight,
                      const Tensor& extra) {
  const LossReduction how = loss_reduction(reduction);
  const Arrays arrays(loss, self, target, extra, weight);
  ElementLossFn* fn = function_of(loss, arrays.dtype);
  ElementLossArgs a;
  arrays.fill(a);
  a.parameter = loss.parameter;
  Tensor g = cast_to(grad, arrays.dtype);
  a.single_grad = g.numel() == 1;
  if (!a.single_grad) g = arrays.arranged(g);
  a.grad = g.raw();
  if (how == LossReduction::kMean) a.scale = 1 / static_cast<double>(a.n);
  const Tensor out = empty_strided_tensor(arrays.shape, arrays.strides, arrays.dtype);
  a.out = out.raw();
  fn(a);
  return out;
}

}  // namespace pt
