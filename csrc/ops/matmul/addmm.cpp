// Matrix products with an addend: beta * self + alpha * (a @ b).
#include "op/copy.h"
#include "op/define.h"
#include "ops/matmul/gemm_call.h"
#include "ops/matmul/matmul.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/reduce/sum.h"
#include "ops/view/view.h"

namespace pt {

namespace {

// PyTorch drops the fraction of beta and alpha for integer tensors.
Scalar factor_for(const Tensor& t, const Scalar& s) {
  return is_floating(t.dtype()) || !s.is_float() ? s : Scalar(static_cast<long>(s.to_int()));
}

Tensor scaled(const Tensor& t, const Scalar& s) {
  const Scalar f = factor_for(t, s);
  return f.to_double() == 1 ? t : t * f;
}

// beta * self + alpha * a @ b, of shape `shape`, with self broadcast to it. In-place calls update
// self directly.
Tensor add_product(const Out& out, const Tensor& self, const Tensor& a, const Tensor& b,
                   const Dims& shape, const Scalar& given_beta, const Scalar& given_alpha,
                   const char* op) {
  const Scalar beta = factor_for(self, given_beta), alpha = factor_for(self, given_alpha);
  PT_CHECK(self.dtype() == a.dtype() && a.dtype() == b.dtype(),
           "self and mat2 must have the same dtype, but got ", dtype_name(self.dtype()), ", ",
           dtype_name(a.dtype()), " and ", dtype_name(b.dtype()), " (in ", op, ")");
  Tensor c;
  if (out.inplace) {
    c = out.destination();
    PT_CHECK(same(c.sizes(), shape), "The input tensor must be a matrix with size ", to_text(shape),
             ", but got a ", c.dim(), "-D tensor with size ", to_text(c.sizes()));
    if (c->storage.get() == a->storage.get() || c->storage.get() == b->storage.get())
      c = contiguous_copy(c);
  } else {
    c = empty_tensor(shape, a.dtype());
    if (beta.to_double() != 0) copy_into(c, expand(self, IntList(shape)));
  }
  gemm(c, a, b, op, {alpha.to_double(), beta.to_double()});
  if (out.dest[0] && c.impl() != out.dest[0]) {
    const Tensor dest = out.destination();
    if (!out.inplace) resize_output(dest, shape);
    copy_into(dest, c);
    return dest;
  }
  return c;
}

}  // namespace

PT_OP(addmm)
    .impl([](const Out& out, const Tensor& self, const Tensor& mat1, const Tensor& mat2,
             Scalar beta, Scalar alpha) {
      PT_CHECK(mat1.dim() == 2, "mat1 must be a matrix, got ", mat1.dim(), "-D tensor");
      PT_CHECK(mat2.dim() == 2, "mat2 must be a matrix, got ", mat2.dim(), "-D tensor");
      PT_CHECK(mat1->sizes[1] == mat2->sizes[0], "mat1 and mat2 shapes cannot be multiplied (",
               mat1->sizes[0], "x", mat1->sizes[1], " and ", mat2->sizes[0], "x", mat2->sizes[1],
               ")");
      return add_product(out, self, mat1, mat2, Dims{mat1->sizes[0], mat2->sizes[1]}, beta, alpha,
                         "addmm_impl_cpu_");
    })
    .on_device()
    .saves("mat1@mat2, mat2@mat1")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& mat1, const Tensor& mat2,
                 Scalar beta, Scalar alpha) {
      if (g.needs(0)) g[0] = scaled(g.grad(), beta);
      if (g.needs(1)) g[1] = scaled(mm(g.grad(), t(mat2)), alpha);
      if (g.needs(2)) g[2] = scaled(mm(t(mat1), g.grad()), alpha);
    })
    .inplace()
    .out()
    .doc("beta * self + alpha * (mat1 @ mat2), self broadcast to the product's shape.")
    .sample("R(3, 5), R(3, 4), R(4, 5)")
    .sample("R(5), R(3, 4), R(4, 5), beta=0.5, alpha=2.0");

PT_OP(baddbmm)
    .impl([](const Out& out, const Tensor& self, const Tensor& a, const Tensor& b, Scalar beta,
             Scalar alpha) {
      PT_CHECK(a.dim() == 3 && b.dim() == 3, "batch1 and batch2 must be 3D tensors");
      PT_CHECK(a->sizes[0] == b->sizes[0] && a->sizes[2] == b->sizes[1],
               "Expected size for first two dimensions of batch2 tensor to be: [", a->sizes[0],
               ", ", a->sizes[2], "] but got: [", b->sizes[0], ", ", b->sizes[1], "].");
      return add_product(out, self, a, b, Dims{a->sizes[0], a->sizes[1], b->sizes[2]}, beta, alpha,
                         "baddbmm");
    })
    .on_device()
    .saves("batch1@batch2, batch2@batch1")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& a, const Tensor& b, Scalar beta,
                 Scalar alpha) {
      if (g.needs(0)) g[0] = scaled(g.grad(), beta);
      if (g.needs(1)) g[1] = scaled(bmm(g.grad(), transpose(b, 1, 2)), alpha);
      if (g.needs(2)) g[2] = scaled(bmm(transpose(a, 1, 2), g.grad()), alpha);
    })
    .inplace()
    .out()
    .doc("beta * self + alpha * (batch1 @ batch2) for batches of matrices.")
    .sample("R(2, 3, 5), R(2, 3, 4), R(2, 4, 5)")
    .sample("R(5), R(2, 3, 4), R(2, 4, 5), beta=0.5, alpha=2.0");

PT_OP(addbmm)
    .composite([](const Tensor& self, const Tensor& a, const Tensor& b, Scalar beta, Scalar alpha) {
      const Tensor product = sum_dim(bmm(a, b), IntList(Dims{0}), false, self.dtype());
      return scaled(self, beta) + scaled(product, alpha);
    })
    .inplace()
    .out()
    .doc("beta * self + alpha * the sum over the batch of batch1 @ batch2.")
    .sample("R(3, 5), R(2, 3, 4), R(2, 4, 5)")
    .test("tol=4e-3");

PT_OP(addmv)
    .composite([](const Tensor& self, const Tensor& mat, const Tensor& vec, Scalar beta,
                  Scalar alpha) { return scaled(self, beta) + scaled(mv(mat, vec), alpha); })
    .inplace()
    .out()
    .doc("beta * self + alpha * (mat @ vec).")
    .sample("R(3), R(3, 4), R(4)")
    .sample("R(3), R(3, 4), R(4), beta=0.5, alpha=2.0");

PT_OP(addr)
    .composite([](const Tensor& self, const Tensor& vec1, const Tensor& vec2, Scalar beta,
                  Scalar alpha) {
      PT_CHECK(is_floating(self.dtype()) || (beta.is_integral() && alpha.is_integral()),
               "For integral input tensors, argument beta must not be a floating point number.");
      return scaled(self, beta) + scaled(outer(vec1, vec2), alpha);
    })
    .inplace()
    .out()
    .doc("beta * self + alpha * the outer product of two vectors.")
    .sample("R(3, 4), R(3), R(4)")
    .sample("R(3, 4), R(3), R(4), beta=0.5, alpha=2.0");

}  // namespace pt
