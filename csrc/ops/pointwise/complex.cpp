// Functions of complex numbers, for the real tensors that exist: mostly the identity.
#include "ops/pointwise/complex.h"

#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"

namespace pt {

PT_OP(real)
    .composite([](const Tensor& self) { return self; })
    .function_only()
    .doc("The real part: self for a real tensor.")
    .sample("R(3, 4)");

PT_OP(imag)
    .composite([](const Tensor&) -> Tensor {
      raise(ErrorKind::kRuntime, "imag is not implemented for tensors with non-complex dtypes.");
    })
    .function_only()
    .doc("The imaginary part of a complex tensor.\n\nRaises:\n    RuntimeError: self is real");

PT_OP(conj)
    .composite([](const Tensor& self) { return self; })
    .doc("The complex conjugate: self for a real tensor.")
    .sample("R(3, 4)");

PT_OP(conj_physical)
    .composite([](const Tensor& self) { return self; })
    .inplace()
    .out()
    .doc("The complex conjugate: self for a real tensor.")
    .sample("R(3, 4)");

PT_OP(resolve_conj)
    .composite([](const Tensor& self) { return self; })
    .doc("self with a pending conjugation carried out: self for a real tensor.")
    .sample("R(3, 4)");

PT_OP(resolve_neg)
    .composite([](const Tensor& self) { return self; })
    .doc("self with a pending negation carried out: self for a real tensor.")
    .sample("R(3, 4)");

PT_OP(angle)
    .impl([](const Tensor& self) {
      const Tensor negative = lt(self, 0);
      if (!is_floating(self.dtype())) return where(negative, kPi, 0.0);
      return where(isnan(self), self, mul(cast_to(negative, self.dtype()), kPi));
    })
    .elementwise()
    .backward([](BackwardCall& g, const Tensor&) { g[0] = zeros_of(g.grad()); })
    .out()
    .doc("The angle in the complex plane: pi for negative numbers, else 0.")
    .sample("R(3, 4)");

PT_OP(isreal)
    .impl([](const Tensor& self) {
      const Tensor t = empty_tensor(self.sizes(), DType::kBool);
      fill_with(t, true);
      return t;
    })
    .elementwise()
    .nondifferentiable()
    .doc("True where an element is a real number.")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

}  // namespace pt
