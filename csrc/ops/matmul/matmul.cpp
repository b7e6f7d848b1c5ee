// Matrix products through the GEMM kernel, and their gradients.
#include "ops/matmul/matmul.h"

#include "cpu/gemm_args.h"
#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/view/view.h"

namespace pt {

namespace {

void check_same_dtype(const char* op, const Tensor& a, const Tensor& b) {
  PT_CHECK(a.dtype() == b.dtype(), "expected m1 and m2 to have the same dtype, but got: ",
           dtype_name(a.dtype()), " != ", dtype_name(b.dtype()), " (in ", op, ")");
}

void run_gemm(const GemmArgs& args, DType dtype, const char* op) {
  static const Kernel<GemmFn> gemm{"gemm"};
  auto* fn = gemm.get(dtype);
  PT_CHECK_KIND(ErrorKind::kNotImplemented, fn, "\"", op, "\" not implemented for '",
                dtype_name(dtype), "'");
  fn(args);
}

}  // namespace

PT_OP(mm)
    .impl([](const Tensor& self, const Tensor& mat2) {
      PT_CHECK(self.dim() == 2, "mm(): self must be a matrix, got ", self.dim(), "-D tensor");
      PT_CHECK(mat2.dim() == 2, "mm(): mat2 must be a matrix, got ", mat2.dim(), "-D tensor");
      PT_CHECK(self->sizes[1] == mat2->sizes[0], "mat1 and mat2 shapes cannot be multiplied (",
               self->sizes[0], "x", self->sizes[1], " and ", mat2->sizes[0], "x", mat2->sizes[1],
               ")");
      check_same_dtype("mm", self, mat2);
      Tensor out = empty_tensor(Dims{self->sizes[0], mat2->sizes[1]}, self.dtype());
      if (out.numel() == 0) return out;
      GemmArgs a;
      a.m = self->sizes[0];
      a.n = mat2->sizes[1];
      a.k = self->sizes[1];
      a.a = self.raw();
      a.a_row = self->strides[0];
      a.a_col = self->strides[1];
      a.b = mat2.raw();
      a.b_row = mat2->strides[0];
      a.b_col = mat2->strides[1];
      a.c = out.raw();
      a.c_row = out->strides[0];
      a.c_col = out->strides[1];
      run_gemm(a, self.dtype(), "addmm_impl_cpu_");
      return out;
    })
    .saves("self@mat2, mat2@self")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& mat2) {
      if (g.needs(0)) g[0] = mm(g.grad(), t(mat2));
      if (g.needs(1)) g[1] = mm(t(self), g.grad());
    })
    .out()
    .doc("The matrix product of an (n, k) and a (k, m) matrix.")
    .sample("R(3, 4), R(4, 5)");

}  // namespace pt
