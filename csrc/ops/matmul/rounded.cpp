// Products of float32 and bfloat16 tensors: sums of float32, rounded once where the result is
// bfloat16.
#include "ops/matmul/rounded.h"

#include "cpu/gemm_mixed_args.h"
#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "op/define.h"
#include "ops/matmul/gemm_call.h"
#include "ops/reduce/sum.h"
#include "ops/view/view.h"

namespace pt {

namespace {

constexpr DType kSingle = DType::kFloat32, kLow = DType::kBFloat16;

void check_dtypes(const char* op, const Tensor& a, const Tensor& b, const Tensor& bias, DType to) {
  const auto fits = [](DType t) { return t == kSingle || t == kLow; };
  PT_CHECK(fits(a.dtype()) && fits(b.dtype()) && fits(to) &&
               (!bias.defined() || bias.dtype() == kSingle),
           op, "(): expected float32 or bfloat16 operands and result and a float32 bias, got ",
           dtype_name(a.dtype()), ", ", dtype_name(b.dtype()), " and ", dtype_name(to));
}

// out = a @ b + bias for matrices; out is contiguous.
void product(const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& bias) {
  static const Kernel<MixedGemmFn> kernel{"gemm_mixed"};
  if (out.numel() == 0) return;
  const Tensor row = bias.defined() ? as_contiguous(bias) : Tensor();
  MixedGemmArgs args;
  GemmArgs& g = args.product;
  g.m = a->sizes[0], g.k = a->sizes[1], g.n = b->sizes[1];
  g.a = a.raw(), g.a_row = a->strides[0], g.a_col = a->strides[1];
  g.b = b.raw(), g.b_row = b->strides[0], g.b_col = b->strides[1];
  g.c = out.raw(), g.c_row = g.n, g.c_col = 1;
  g.bias = row.defined() ? row.raw() : nullptr;
  args.half_a = a.dtype() == kLow;
  args.half_b = b.dtype() == kLow;
  args.half_c = out.dtype() == kLow;
  if (kernel.get(kSingle)(args)) return;
  const Tensor sums = out.dtype() == kSingle ? out : empty_tensor(out.sizes(), kSingle);
  gemm(sums, cast_to(a, kSingle), cast_to(b, kSingle), "addmm_impl_cpu_", {}, bias);
  copy_into(out, sums);
}

Tensor as_rows(const Tensor& t) {
  const int64_t k = t->sizes[t.dim() - 1];
  int64_t rows = 1;
  for (int i = 0; i + 1 < t.dim(); ++i) rows *= t->sizes[i];
  return t.dim() == 2 ? t : reshape(t, IntList(Dims{rows, k}));
}

// The dtype of the gradient of an operand; of one that was not kept the engine knows it.
DType gradient_dtype(const Tensor& operand) {
  return operand.defined() ? operand.dtype() : kSingle;
}

}  // namespace

PT_OP(mm_rounded)
    .impl([](const Tensor& self, const Tensor& mat2, DType dtype) {
      PT_CHECK(self.dim() == 2, "mm(): self must be a matrix, got ", self.dim(), "-D tensor");
      PT_CHECK(mat2.dim() == 2, "mm(): mat2 must be a matrix, got ", mat2.dim(), "-D tensor");
      PT_CHECK(self->sizes[1] == mat2->sizes[0], "mat1 and mat2 shapes cannot be multiplied (",
               self->sizes[0], "x", self->sizes[1], " and ", mat2->sizes[0], "x", mat2->sizes[1],
               ")");
      check_dtypes("mm_rounded", self, mat2, Tensor(), dtype);
      const Tensor out = empty_tensor(Dims{self->sizes[0], mat2->sizes[1]}, dtype);
      product(out, self, mat2, Tensor());
      return out;
    })
    .saves("self@mat2, mat2@self")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& mat2, DType) {
      if (g.needs(0)) g[0] = mm_rounded(g.grad(), t(mat2), gradient_dtype(self));
      if (g.needs(1)) g[1] = mm_rounded(t(self), g.grad(), gradient_dtype(mat2));
    })
    .node_name("MmBackward0")
    .internal()
    .doc("mm() of float32 and bfloat16 matrices with sums of float32, rounded to `dtype`.")
    .sample("R(3, 4).float(), R(4, 5).bfloat16(), torch.float32")
    .sample("R(40, 50).bfloat16(), R(50, 60).float(), torch.bfloat16")
    .test("nograd");

PT_OP(linear_rounded)
    .impl([](const Tensor& input, const Tensor& weight, const Tensor& bias, DType dtype) {
      PT_CHECK(weight.dim() == 2, "linear(): weight must be a matrix, got ", weight.dim(), "-D");
      PT_CHECK(input.dim() >= 1, "linear(): input must have at least one dimension");
      const Tensor flat = as_rows(input);
      const int64_t n = weight->sizes[0];
      PT_CHECK(flat->sizes[1] == weight->sizes[1], "mat1 and mat2 shapes cannot be multiplied (",
               flat->sizes[0], "x", flat->sizes[1], " and ", weight->sizes[1], "x", n, ")");
      PT_CHECK(!bias.defined() || (bias.dim() == 1 && bias->sizes[0] == n),
               "linear(): bias of shape ",
               bias.defined() ? to_text(bias.sizes()) : std::string("[]"),
               " does not fit the output size ", n);
      check_dtypes("linear_rounded", input, weight, bias, dtype);
      Dims shape = input.sizes();
      shape[input.dim() - 1] = n;
      const Tensor out = empty_tensor(shape, dtype);
      product(make_view(out, Dims{flat->sizes[0], n}, Dims{n, 1}, 0), flat, t(weight), bias);
      return out;
    })
    .saves("input@weight, weight@input")
    .backward([](BackwardCall& g, const Tensor& input, const Tensor& weight, const Tensor&, DType) {
      const Tensor& grad = g.grad();
      const Tensor flat = as_rows(grad);
      if (g.needs(0)) {
        Dims shape = grad.sizes();
        shape[grad.dim() - 1] = weight->sizes[1];
        g[0] = reshape(mm_rounded(flat, weight, gradient_dtype(input)), IntList(shape));
      }
      if (g.needs(1)) g[1] = mm_rounded(t(flat), as_rows(input), gradient_dtype(weight));
      if (g.needs(2)) g[2] = sum_dim(flat, IntList(Dims{0}), false, kSingle);
    })
    .node_name("AddmmBackward0")
    .internal()
    .doc("linear() of float32 and bfloat16 operands with sums of float32, rounded to `dtype`.")
    .sample("R(3, 4).float(), R(5, 4).float(), R(5).float(), torch.bfloat16")
    .sample("R(2, 20, 50).bfloat16(), R(60, 50).float(), None, torch.bfloat16")
    .test("nograd");

}  // namespace pt
