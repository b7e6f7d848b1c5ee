// Matrix products without an addend, and their gradients.
#include "ops/matmul/matmul.h"

#include "cpu/kernel_table.h"
#include "cpu/reduce_args.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/matmul/gemm_call.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/reduce/sum.h"
#include "ops/view/view.h"

namespace pt {

namespace {

void check_same_dtype(const char* op, const Tensor& a, const Tensor& b) {
  PT_CHECK(a.dtype() == b.dtype(),
           "expected m1 and m2 to have the same dtype, but got: ", dtype_name(a.dtype()),
           " != ", dtype_name(b.dtype()), " (in ", op, ")");
}

// The destination of an out= call when the product can be written straight into it.
Tensor product_target(const Out& out, const Dims& shape, DType dtype, const Tensor& a,
                      const Tensor& b) {
  if (!out.dest[0] || out.inplace) return empty_tensor(shape, dtype);
  const Tensor dest = out.destination();
  if (dest.dtype() != dtype || !same(dest.sizes(), shape) ||
      dest->storage.get() == a->storage.get() || dest->storage.get() == b->storage.get())
    return empty_tensor(shape, dtype);
  return dest;
}

Tensor finish_target(const Out& out, Tensor result) {
  if (!out.dest[0] || result.impl() == out.dest[0]) return result;
  const Tensor dest = out.destination();
  check_destination(out, result.dtype(), result.sizes());
  resize_output(dest, result.sizes());
  copy_into(dest, result);
  return dest;
}

}  // namespace

PT_OP(mm)
    .impl([](const Out& out, const Tensor& self, const Tensor& mat2) {
      PT_CHECK(self.dim() == 2, "mm(): self must be a matrix, got ", self.dim(), "-D tensor");
      PT_CHECK(mat2.dim() == 2, "mm(): mat2 must be a matrix, got ", mat2.dim(), "-D tensor");
      PT_CHECK(self->sizes[1] == mat2->sizes[0], "mat1 and mat2 shapes cannot be multiplied (",
               self->sizes[0], "x", self->sizes[1], " and ", mat2->sizes[0], "x", mat2->sizes[1],
               ")");
      check_same_dtype("mm", self, mat2);
      const Tensor c =
          product_target(out, Dims{self->sizes[0], mat2->sizes[1]}, self.dtype(), self, mat2);
      gemm(c, self, mat2, "addmm_impl_cpu_");
      return finish_target(out, c);
    })
    .on_device()
    .saves("self@mat2, mat2@self")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& mat2) {
      if (g.needs(0)) g[0] = mm(g.grad(), t(mat2));
      if (g.needs(1)) g[1] = mm(t(self), g.grad());
    })
    .out()
    .doc(
        "The matrix product of an (n, k) and a (k, m) matrix.\n\n"
        "Raises:\n    RuntimeError: when the inner sizes differ.\n\n"
        "Example:\n    >>> torch.mm(torch.ones(2, 3), torch.ones(3, 1))\n"
        "    tensor([[3.],\n            [3.]])")
    .sample("R(3, 4), R(4, 5)");

PT_OP(bmm)
    .impl([](const Out& out, const Tensor& self, const Tensor& mat2) {
      PT_CHECK(self.dim() == 3, "batch1 must be a 3D tensor");
      PT_CHECK(mat2.dim() == 3, "batch2 must be a 3D tensor");
      PT_CHECK(self->sizes[0] == mat2->sizes[0] && self->sizes[2] == mat2->sizes[1],
               "Expected size for first two dimensions of batch2 tensor to be: [", self->sizes[0],
               ", ", self->sizes[2], "] but got: [", mat2->sizes[0], ", ", mat2->sizes[1], "].");
      check_same_dtype("bmm", self, mat2);
      const Tensor c = product_target(out, Dims{self->sizes[0], self->sizes[1], mat2->sizes[2]},
                                      self.dtype(), self, mat2);
      gemm(c, self, mat2, "bmm");
      return finish_target(out, c);
    })
    .on_device()
    .saves("self@mat2, mat2@self")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& mat2) {
      if (g.needs(0)) g[0] = bmm(g.grad(), transpose(mat2, 1, 2));
      if (g.needs(1)) g[1] = bmm(transpose(self, 1, 2), g.grad());
    })
    .out()
    .doc("The matrix products of two batches of matrices, (b, n, k) and (b, k, m).")
    .sample("R(2, 3, 4), R(2, 4, 5)");

PT_OP(mv)
    .impl([](const Tensor& self, const Tensor& vec) {
      PT_CHECK(self.dim() == 2 && vec.dim() == 1, "vector + matrix @ vector expected, got ",
               self.dim(), ", ", vec.dim());
      PT_CHECK(self->sizes[1] == vec->sizes[0], "size mismatch, got input (", self->sizes[0],
               "), mat (", self->sizes[0], "x", self->sizes[1], "), vec (", vec->sizes[0], ")");
      check_same_dtype("mv", self, vec);
      Tensor out = empty_tensor(Dims{self->sizes[0]}, self.dtype());
      gemm(make_view(out, Dims{out->sizes[0], 1}, Dims{1, 1}, 0), self,
           make_view(vec, Dims{vec->sizes[0], 1}, Dims{vec->strides[0], 1}, vec.offset()), "addmv");
      return out;
    })
    .on_device()
    .saves("self@vec, vec@self")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& vec) {
      if (g.needs(0)) g[0] = outer(g.grad(), vec);
      if (g.needs(1)) g[1] = mv(t(self), g.grad());
    })
    .out()
    .doc("The product of an (n, k) matrix and a vector of k elements.")
    .sample("R(3, 4), R(4)");

PT_OP(dot)
    .impl([](const Tensor& self, const Tensor& other) {
      PT_CHECK(self.dim() == 1 && other.dim() == 1, "1D tensors expected, but got ", self.dim(),
               "D and ", other.dim(), "D tensors");
      PT_CHECK(self.dtype() == other.dtype(),
               "dot : expected both vectors to have same dtype, but found ",
               dtype_name(self.dtype()), " and ", dtype_name(other.dtype()));
      PT_CHECK(self.numel() == other.numel(), "inconsistent tensor size, expected tensor [",
               self.numel(), "] and src [", other.numel(),
               "] to have the same number of elements, but got ", self.numel(), " and ",
               other.numel(), " elements respectively");
      static const Kernel<DotFn> kernel{"dot"};
      auto* fn = kernel.get(self.dtype());
      PT_CHECK_KIND(ErrorKind::kNotImplemented, fn, "\"dot\" not implemented for '",
                    dtype_name(self.dtype()), "'");
      Tensor out = empty_tensor({}, self.dtype());
      fn({self.raw(), other.raw(), out.raw(), self.numel(), self->strides[0], other->strides[0]});
      return out;
    })
    .on_device()
    .saves("self@tensor, tensor@self")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      if (g.needs(0)) g[0] = g.grad() * other;
      if (g.needs(1)) g[1] = g.grad() * self;
    })
    .out()
    .alias("vdot")
    .doc("The sum of the products of two vectors' elements.")
    .sample("R(5), R(5)");

PT_OP(outer)
    .composite([](const Tensor& self, const Tensor& vec2) {
      PT_CHECK(self.dim() == 1, "outer: Expected 1-D argument self, but got ", self.dim(), "-D");
      PT_CHECK(vec2.dim() == 1, "outer: Expected 1-D argument vec2, but got ", vec2.dim(), "-D");
      return unsqueeze(self, 1) * vec2;
    })
    .out()
    .alias("ger")
    .doc("The matrix of all products of the elements of two vectors.")
    .sample("R(3), R(4)");

namespace {

// Batches of matrices multiplied with broadcast leading dimensions.
Tensor matmul_batched(const Tensor& a, const Tensor& b) {
  const int na = a.dim() - 2, nb = b.dim() - 2;
  const Dims batch = broadcast_shapes(a.sizes().size() ? IntList(a.sizes()).first(na) : IntList(),
                                      IntList(b.sizes()).first(nb));
  const int64_t m = a->sizes[na], k = a->sizes[na + 1], n = b->sizes[nb + 1];
  PT_CHECK(k == b->sizes[nb], "Expected size for first two dimensions of batch2 tensor to be: [",
           checked_numel(batch), ", ", k, "] but got: [", checked_numel(batch), ", ", b->sizes[nb],
           "].");
  auto expanded = [&](const Tensor& x, int64_t rows, int64_t columns) {
    Dims shape = batch;
    shape.push_back(rows);
    shape.push_back(columns);
    const Tensor e = same(x.sizes(), shape) ? x : expand(x, IntList(shape));
    if (batch.size() == 1) return e;
    return reshape(e, IntList(Dims{checked_numel(batch), rows, columns}));
  };
  const Tensor c = bmm(expanded(a, m, k), expanded(b, k, n));
  if (batch.size() == 1) return c;
  Dims shape = batch;
  shape.push_back(m);
  shape.push_back(n);
  return reshape(c, IntList(shape));
}

}  // namespace

PT_OP(matmul)
    .composite([](const Tensor& self, const Tensor& other) {
      const int a = self.dim(), b = other.dim();
      PT_CHECK(a != 0 && b != 0, "both arguments to matmul need to be at least 1D, but they are ",
               a, "D and ", b, "D");
      if (a == 1 && b == 1) return dot(self, other);
      if (a == 2 && b == 1) return mv(self, other);
      if (a == 1 && b == 2) return squeeze_dim(mm(unsqueeze(self, 0), other), 0);
      if (a == 2 && b == 2) return mm(self, other);
      if (a == 1) return squeeze_dim(matmul_batched(unsqueeze(self, 0), other), -2);
      if (b == 1) return squeeze_dim(matmul_batched(self, unsqueeze(other, 1)), -1);
      if (b == 2) {
        // One product of all rows with the same matrix.
        PT_CHECK(self->sizes[a - 1] == other->sizes[0],
                 "mat1 and mat2 shapes cannot be multiplied (",
                 self->sizes[a - 1] ? self.numel() / self->sizes[a - 1] : 0, "x",
                 self->sizes[a - 1], " and ", other->sizes[0], "x", other->sizes[1], ")");
        Dims shape = self.sizes();
        shape[a - 1] = other->sizes[1];
        int64_t rows = 1;
        for (int i = 0; i < a - 1; ++i) rows *= self->sizes[i];
        return reshape(mm(reshape(self, IntList(Dims{rows, self->sizes[a - 1]})), other),
                       IntList(shape));
      }
      return matmul_batched(self, other);
    })
    .out()
    .doc(
        "The matrix product with vectors and broadcast batches: dot, mv, mm or bmm by the "
        "number of dimensions.")
    .sample("R(3, 4), R(4, 5)")
    .sample("R(4), R(4)")
    .sample("R(3, 4), R(4)")
    .sample("R(4), R(4, 5)")
    .sample("R(2, 3, 4), R(4, 5)")
    .sample("R(2, 1, 3, 4), R(5, 4, 2)")
    .sample("R(4), R(2, 4, 3)");

PT_OP(inner)
    .composite([](const Tensor& self, const Tensor& other) {
      if (self.dim() == 0 || other.dim() == 0) return self * other;
      const int64_t n = self->sizes[self.dim() - 1];
      PT_CHECK(n == other->sizes[other.dim() - 1],
               "inner() the last dimension must match on both input tensors but got shapes ",
               to_text(self.sizes()), " and ", to_text(other.sizes()));
      Dims shape = self.sizes();
      shape.erase(self.dim() - 1);
      for (int i = 0; i + 1 < other.dim(); ++i) shape.push_back(other->sizes[i]);
      int64_t rows = 1, columns = 1;
      for (int i = 0; i + 1 < self.dim(); ++i) rows *= self->sizes[i];
      for (int i = 0; i + 1 < other.dim(); ++i) columns *= other->sizes[i];
      return reshape(
          mm(reshape(self, IntList(Dims{rows, n})), t(reshape(other, IntList(Dims{columns, n})))),
          IntList(shape));
    })
    .out()
    .doc("The sum of products over the last dimensions of both.")
    .sample("R(3, 4), R(2, 4)")
    .sample("R(4), R(4)")
    .test("contiguous");

PT_OP(linear)
    .impl([](const Tensor& input, const Tensor& weight, const Tensor& bias) {
      PT_CHECK(weight.dim() == 2, "linear(): weight must be a matrix, got ", weight.dim(), "-D");
      PT_CHECK(input.dim() >= 1, "linear(): input must have at least one dimension");
      const int64_t k = input->sizes[input.dim() - 1], n = weight->sizes[0];
      int64_t rows = 1;
      for (int i = 0; i + 1 < input.dim(); ++i) rows *= input->sizes[i];
      PT_CHECK(k == weight->sizes[1], "mat1 and mat2 shapes cannot be multiplied (", rows, "x", k,
               " and ", weight->sizes[1], "x", n, ")");
      PT_CHECK(input.dtype() == weight.dtype(), "mat1 and mat2 must have the same dtype, but got ",
               dtype_name(input.dtype()), " and ", dtype_name(weight.dtype()));
      PT_CHECK(!bias.defined() || (bias.dim() == 1 && (bias->sizes[0] == n)),
               "linear(): bias of shape ",
               bias.defined() ? to_text(bias.sizes()) : std::string("[]"),
               " does not fit the output size ", n);
      Dims shape = input.sizes();
      shape[input.dim() - 1] = n;
      Tensor out = empty_tensor(shape, input.dtype());
      const Tensor flat = input.dim() == 2 ? input : reshape(input, IntList(Dims{rows, k}));
      gemm(make_view(out, Dims{rows, n}, Dims{n, 1}, 0), flat, t(weight), "addmm_impl_cpu_", {},
           bias);
      return out;
    })
    .on_device()
    .saves("input@weight, weight@input")
    .backward([](BackwardCall& g, const Tensor& input, const Tensor& weight, const Tensor&) {
      const Tensor& grad = g.grad();
      const int64_t n = grad->sizes[grad.dim() - 1];
      int64_t rows = 1;
      for (int i = 0; i + 1 < grad.dim(); ++i) rows *= grad->sizes[i];
      const Tensor flat = reshape(grad, IntList(Dims{rows, n}));
      if (g.needs(0)) {
        Dims shape = grad.sizes();
        shape[grad.dim() - 1] = weight->sizes[1];
        g[0] = reshape(mm(flat, weight), IntList(shape));
      }
      if (g.needs(1)) {
        const int64_t k = input->sizes[input.dim() - 1];
        g[1] = mm(t(flat), reshape(input, IntList(Dims{rows, k})));
      }
      if (g.needs(2)) g[2] = sum_dim(flat, IntList(Dims{0}), false);
    })
    .node_name("AddmmBackward0")
    .function_only()
    .doc("input @ weight.T + bias, over the last dimension of input.")
    .sample("R(3, 4), R(5, 4), R(5)")
    .sample("R(2, 3, 4), R(5, 4)");

PT_OP(kron)
    .composite([](const Tensor& self, const Tensor& other) {
      const int n = std::max(self.dim(), other.dim());
      Dims a, b, shape;
      for (int i = 0; i < n; ++i) {
        const int da = i - (n - self.dim()), db = i - (n - other.dim());
        const int64_t sa = da >= 0 ? self->sizes[da] : 1, sb = db >= 0 ? other->sizes[db] : 1;
        a.push_back(sa);
        a.push_back(1);
        b.push_back(1);
        b.push_back(sb);
        shape.push_back(sa * sb);
      }
      return reshape(reshape(self, IntList(a)) * reshape(other, IntList(b)), IntList(shape));
    })
    .doc("The Kronecker product.")
    .sample("R(2, 3), R(3, 2)")
    .sample("R(3), R(2, 2)");

}  // namespace pt
