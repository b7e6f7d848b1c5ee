// What a call costs beside its arithmetic: ops on 8 elements through the typed C++ API, without
// and with a graph being recorded, and a small graph forward and backward.
#include "autograd/engine.h"
#include "bench.h"
#include "ops/core_ops.h"

namespace {

using pt::Tensor;

Tensor eight_values(bool requires_grad) {
  Tensor t = pt::empty_tensor(pt::Dims{8}, pt::DType::kFloat32);
  for (int i = 0; i < 8; ++i) t.data<float>()[i] = static_cast<float>(i + 1);
  t->set(pt::TensorImpl::kRequiresGrad, requires_grad);
  return t;
}

void add_eight(benchmark::State& state, bool requires_grad) {
  const Tensor a = eight_values(requires_grad), b = eight_values(false);
  Tensor c;
  bench::measure(
      state, 0, [&] { c = pt::add(a, b); },
      [&] { return c.data<float>()[7] == 16 && c.requires_grad() == requires_grad; });
}

void add_in_place(benchmark::State& state) {
  Tensor a = eight_values(false), zero = eight_values(false);
  pt::zero_(zero);
  bench::measure(state, 0, [&] { pt::add_(a, zero); }, [&] { return a.data<float>()[7] == 8; });
}

void forward_and_backward(benchmark::State& state) {
  const Tensor a = eight_values(true), b = eight_values(true);
  bench::measure(
      state, 0,
      [&] {
        pt::backward(pt::sum(a * b));
        for (const Tensor& t : {a, b}) pt::zero_(Tensor::share(t->grad));
      },
      [&] {
        pt::backward(pt::sum(a * b));
        const bool right = Tensor::share(a->grad).data<float>()[7] == 8;
        for (const Tensor& t : {a, b}) pt::zero_(Tensor::share(t->grad));
        return right;
      });
}

}  // namespace

int main(int argc, char** argv) {
  bench::add("dispatch/add", [](benchmark::State& state) { add_eight(state, false); });
  bench::add("dispatch/add, recorded", [](benchmark::State& state) { add_eight(state, true); });
  bench::add("dispatch/add_", add_in_place);
  bench::add("dispatch/(a*b).sum().backward()", forward_and_backward);
  return bench::run_all(argc, argv);
}
