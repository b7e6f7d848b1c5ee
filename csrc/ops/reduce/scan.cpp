// Scans along a dimension and their gradients, which are sums of products from the other end:
// linear recurrences, exact where elements are zero.
#include "ops/reduce/scan.h"

#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/creation/creation.h"
#include "ops/index/index.h"
#include "ops/index/selection.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/recurrence.h"
#include "ops/shape/shape.h"

namespace pt {

namespace {

using ScanKernel = Kernel<ScanFn>;
using Pair = std::tuple<Tensor, Tensor>;
const ScanKernel kCumsum{"cumsum"}, kCumprod{"cumprod"}, kCummax{"cummax"}, kCummin{"cummin"};
const ScanKernel kLogcumsumexp{"logcumsumexp"};

enum class Direction : bool { kForward, kReverse };

// The kernel's result; `indices` is filled if given. In reverse the lines are read and written
// from their ends.
Tensor run_scan(const ScanKernel& kernel, const Tensor& self, int64_t dim, DType compute,
                DType result, Direction direction = Direction::kForward,
                Tensor* indices = nullptr) {
  const int d = wrap_dim(dim, self.dim());
  ScanFn* fn = kernel.get(compute);
  PT_CHECK_KIND(ErrorKind::kNotImplemented, fn, "\"", kernel.name,
                "_out_cpu\" not implemented for '", scalar_type_name(compute), "'");
  const LineShape shape = line_shape(self.sizes(), d);
  ScanArgs a;
  a.outer = shape.outer;
  a.n = shape.n;
  a.inner = shape.inner;
  const Tensor source = as_lines(cast_to(self, compute), d, a.in_stride);
  const Tensor out = empty_tensor(self.sizes(), result);
  a.out_stride = row_major(shape);
  if (indices) *indices = empty_tensor(self.sizes(), DType::kInt64);
  if (out.numel() == 0) return out;
  a.in = source.raw();
  a.out = out.raw();
  a.out2 = indices ? indices->raw() : nullptr;
  if (direction == Direction::kReverse) {
    const int64_t in_end = (a.n - 1) * a.in_stride.n, out_end = (a.n - 1) * a.out_stride.n;
    a.in = source.data<char>() + in_end * static_cast<int64_t>(source.item_size());
    a.out = out.data<char>() + out_end * static_cast<int64_t>(out.item_size());
    a.in_stride.n = -a.in_stride.n;
    a.out_stride.n = -a.out_stride.n;
  }
  fn(a);
  return out;
}

// Integers and bools are accumulated as int64 unless a dtype is asked for.
Tensor accumulated(const ScanKernel& kernel, const Tensor& self, int64_t dim,
                   std::optional<DType> dtype, Direction direction = Direction::kForward) {
  const DType own = self.dtype();
  const DType result = dtype.value_or(is_integral(own, true) ? DType::kInt64 : own);
  if (!is_integral(result, true)) return run_scan(kernel, self, dim, result, result, direction);
  const bool widens = is_integral(own, true) && result == DType::kInt64;
  return cast_to(run_scan(kernel, self, dim, widens ? own : result, DType::kInt64, direction),
                 result);
}

Pair extreme_so_far(const ScanKernel& kernel, const Tensor& self, int64_t dim) {
  Tensor indices;
  Tensor values =
      run_scan(kernel, self, dim, self.dtype(), self.dtype(), Direction::kForward, &indices);
  return {std::move(values), std::move(indices)};
}

// Each gradient goes to the element that its index names.
Tensor collect(const Tensor& grad, const Tensor& self, int64_t dim, const Tensor& indices) {
  return scatter_add(zeros_tensor(self.sizes(), grad.dtype(), grad.device()), dim, indices, grad);
}

// The length along dim; 1 of a tensor without dimensions.
int64_t length(const Tensor& t, int64_t dim) { return t.dim() ? t.size(dim) : 1; }

// `t` moved by one place along dim, with `first` in the place that falls free.
Tensor shift_in(const Tensor& first, const Tensor& t, int64_t dim) {
  const Tensor parts[] = {first, narrow(t, dim, 0, length(t, dim) - 1)};
  return cat(TensorList(parts), dim);
}

}  // namespace

Tensor shifted(const Tensor& t, int64_t dim, double fill) {
  if (t.dim() == 0) return full_like(t, fill);
  if (t.numel() == 0) return t;
  Dims sizes = t.sizes();
  sizes[wrap_dim(dim, t.dim())] = 1;
  return shift_in(full(sizes, fill, t.dtype()), t, dim);
}

PT_OP(cumsum)
    .impl([](const Tensor& self, int64_t dim, std::optional<DType> dtype) {
      return accumulated(kCumsum, self, dim, dtype);
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, int64_t dim, std::optional<DType>) {
      g[0] = reverse_cumsum(g.grad(), dim);
    })
    .inplace()
    .out()
    .doc(
        "The running sum along a dimension. Integers are summed as int64.\n\n"
        "Args:\n    dim (int): the dimension\n    dtype: dtype of the result\n\n"
        "Example:\n    >>> torch.tensor([1, 2, 3]).cumsum(0)\n    tensor([1, 3, 6])")
    .sample("R(3, 4), 1")
    .sample("R(2, 3, 4), -2")
    .sample("I(3, 4), 0")
    .sample("I(3, 4), 0, dtype=torch.float64");

PT_OP(reverse_cumsum)
    .impl([](const Tensor& self, int64_t dim) {
      return accumulated(kCumsum, self, dim, std::nullopt, Direction::kReverse);
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, int64_t dim) { g[0] = cumsum(g.grad(), dim); })
    .internal()
    .doc("The sum of each element and all after it along a dimension: the gradient of cumsum().")
    .sample("R(3, 4), 1")
    .sample("R(2, 3, 4), -2")
    .sample("I(3, 4), 1");

PT_OP(cumprod)
    .impl([](const Tensor& self, int64_t dim, std::optional<DType> dtype) {
      return accumulated(kCumprod, self, dim, dtype);
    })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, std::optional<DType>) {
      // Element k occurs in result[j], j >= k, with the factor result[k-1] * x[k+1] * ... * x[j].
      const Tensor x = to_dtype(self, g.grad().dtype());
      g[0] = mul(shifted(g.result(), dim, 1), linear_recurrence(x, g.grad(), dim, true));
    })
    .inplace()
    .out()
    .doc(
        "The running product along a dimension. Integers are multiplied as int64.\n\n"
        "Args:\n    dim (int): the dimension\n    dtype: dtype of the result\n\n"
        "Example:\n    >>> torch.tensor([1, 2, 3]).cumprod(0)\n    tensor([1, 2, 6])")
    .sample("R(3, 4), 1")
    .sample("R(2, 3, 4), -2")
    .sample("R(3, 4).masked_fill(B(3, 4), 0), 1")
    .sample("I(3, 4), 0")
    .sample("I(3, 4), 0, dtype=torch.float64");

PT_OP(linear_recurrence)
    .impl([](const Tensor& factors, const Tensor& terms, int64_t dim, bool reverse) {
      PT_CHECK(factors.is_floating() && factors.dtype() == terms.dtype() &&
                   same(factors.sizes(), terms.sizes()),
               "_linear_recurrence(): factors and terms must be floating point and alike");
      const int d = wrap_dim(dim, terms.dim());
      const Tensor a = as_contiguous(factors), b = as_contiguous(terms);
      const Tensor out = empty_tensor(terms.sizes(), terms.dtype());
      run_recurrence(out.dtype(), a.raw(), b.raw(), out.raw(), line_shape(out.sizes(), d), reverse);
      return out;
    })
    .on_device()
    .saves("factors@terms, factors@factors, result@factors")
    .backward([](BackwardCall& g, const Tensor& factors, const Tensor&, int64_t dim, bool reverse) {
      const Tensor h = linear_recurrence(factors, g.grad(), dim, !reverse);
      if (g.needs(1)) g[1] = h;
      if (g.needs(0))
        g[0] = reverse ? mul(shifted(h, dim, 0), g.result()) : mul(h, shifted(g.result(), dim, 0));
    })
    .internal()
    .doc("y[k] = terms[k] + factors[k] * y[k - 1] along dim, or from its end with `reverse`.")
    .sample("U(3, 4), R(3, 4), 1, False")
    .sample("U(2, 3, 4), R(2, 3, 4), -2, True");

PT_OP(cummax)
    .impl([](const Tensor& self, int64_t dim) { return extreme_so_far(kCummax, self, dim); })
    .on_device()
    .saves("shape:self, result1")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim) {
      g[0] = collect(g.grad(), self, dim, g.result(1));
    })
    .nondifferentiable_output(1)
    .out()
    .doc(
        "The largest element so far along a dimension, and its (last) index.\n\n"
        "Args:\n    dim (int): the dimension\n\n"
        "Example:\n    >>> torch.tensor([1, 3, 2]).cummax(0).values\n    tensor([1, 3, 3])")
    .sample("R(3, 4), 1")
    .sample("R(2, 3, 4), -2")
    .sample("I(3, 4), 0");

PT_OP(cummin)
    .impl([](const Tensor& self, int64_t dim) { return extreme_so_far(kCummin, self, dim); })
    .on_device()
    .saves("shape:self, result1")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim) {
      g[0] = collect(g.grad(), self, dim, g.result(1));
    })
    .nondifferentiable_output(1)
    .out()
    .doc(
        "The smallest element so far along a dimension, and its (last) index.\n\n"
        "Args:\n    dim (int): the dimension\n\n"
        "Example:\n    >>> torch.tensor([3, 1, 2]).cummin(0).values\n    tensor([3, 1, 1])")
    .sample("R(3, 4), 1")
    .sample("R(2, 3, 4), -2")
    .sample("I(3, 4), 0");

PT_OP(logcumsumexp)
    .impl([](const Tensor& self, int64_t dim) {
      return run_scan(kLogcumsumexp, self, dim, self.dtype(), self.dtype());
    })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim) {
      // sum over j >= k of grad[j] * e^(self[k] - result[j]), with factors e^(r[k-1] - r[k]) <= 1.
      const Tensor& r = g.result();
      if (self.dim() == 0 || self.numel() == 0) {
        g[0] = g.grad();
        return;
      }
      const Tensor factors = exp(sub(shift_in(narrow(r, dim, 0, 1), r, dim), r));
      g[0] = mul(exp(sub(self, r)), linear_recurrence(factors, g.grad(), dim, true));
    })
    .out()
    .doc(
        "The logarithm of the running sum of exponentials along a dimension, without overflow.\n\n"
        "Args:\n    dim (int): the dimension\n\n"
        "Example:\n    >>> torch.zeros(3).logcumsumexp(0)\n    tensor([0.0000, 0.6931, 1.0986])")
    .sample("R(3, 4), 1")
    .sample("R(2, 3, 4), -2");

}  // namespace pt
