// Bit operations, shifts and divisors of integers.
#include "ops/pointwise/bits.h"

#include "ops/pointwise/formula.h"

namespace pt {

namespace {

const PointwiseKernel kLshift{"lshift"}, kRshift{"rshift"}, kGcd{"gcd"}, kLcm{"lcm"};

// Kernels of whole numbers, which bools are not here.
Tensor run_integers(const Out& out, const PointwiseKernel& kernel, const Tensor& self,
                    const Tensor& other) {
  if (other.dtype() == DType::kBool) refuse_bool(self, kernel.name());
  return run_pointwise(out, kernel, Promote::kCommon, self, other);
}

}  // namespace

PT_OP(bitwise_and)
    .pointwise("bitwise_and")
    .nondifferentiable()
    .inplace()
    .out()
    .doc("self & other bit by bit, of integers and bools.")
    .sample("I(3, 4), I(3, 4)")
    .sample("I(3, 4), 5")
    .sample("6, I(3, 4)")
    .sample("B(3, 4), B(4)");

PT_OP(bitwise_or)
    .pointwise("bitwise_or")
    .nondifferentiable()
    .inplace()
    .out()
    .doc("self | other bit by bit, of integers and bools.")
    .sample("I(3, 4), I(3, 4)")
    .sample("I(3, 4), 5")
    .sample("6, I(3, 4)")
    .sample("B(3, 4), B(4)");

PT_OP(bitwise_xor)
    .pointwise("bitwise_xor")
    .nondifferentiable()
    .inplace()
    .out()
    .doc("self ^ other bit by bit, of integers and bools.")
    .sample("I(3, 4), I(3, 4)")
    .sample("I(3, 4), 5")
    .sample("6, I(3, 4)")
    .sample("B(3, 4), B(4)");

PT_OP(bitwise_not)
    .pointwise("bitwise_not")
    .nondifferentiable()
    .inplace()
    .out()
    .doc("All bits of an integer inverted; logical not of a bool.")
    .sample("I(3, 4)")
    .sample("B(3, 4)");

PT_OP(bitwise_left_shift)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_integers(out, kLshift, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .numbers()
    .doc("self * 2 ** other in integers: bits shifted up; 0 when all are shifted out.")
    .sample("I(3, 4), J(5, 3, 4)")
    .sample("I(3, 4), 2");

PT_OP(bitwise_right_shift)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_integers(out, kRshift, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .numbers()
    .doc("Bits shifted down, keeping the sign.")
    .sample("I(3, 4), J(5, 3, 4)")
    .sample("I(3, 4), 2");

PT_OP(gcd)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_integers(out, kGcd, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .doc("The greatest common divisor, elementwise; gcd(0, 0) is 0.")
    .sample("I(3, 4), I(3, 4)")
    .sample("I(3, 1), I(4)");

PT_OP(lcm)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_integers(out, kLcm, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .doc("The least common multiple, elementwise.")
    .sample("I(3, 4), I(3, 4)")
    .sample("I(3, 1), I(4)");

}  // namespace pt
