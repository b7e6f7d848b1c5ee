// Fits a line through noisy points by gradient descent, in C++ alone: tensors, a matrix product,
// the backward pass and updates in place. Prints the loss at the start and at the end.
#include <cstdio>

#include "autograd/engine.h"
#include "ops/core_ops.h"
#include "ops/creation/creation.h"
#include "ops/matmul/matmul.h"

namespace {

pt::Tensor parameter(pt::IntList sizes) {
  pt::Tensor t = pt::zeros(sizes);
  t->set(pt::TensorImpl::kRequiresGrad, true);
  return t;
}

void step(pt::Tensor& parameter, double rate) {
  const pt::GradModeGuard no_grad(false);
  pt::Tensor gradient = pt::Tensor::share(parameter->grad);
  pt::add_(parameter, gradient, -rate);
  pt::zero_(gradient);
}

}  // namespace

int main() {
  // y = 3x + 2 with a ripple that no line follows.
  const pt::Tensor x = pt::linspace(-1, 1, 64);
  const pt::Tensor inputs = pt::reshape(x, pt::Dims{64, 1});
  const pt::Tensor targets = 3 * inputs + 2 + 0.01 * pt::pow(inputs, 5);

  pt::Tensor weight = parameter(pt::Dims{1, 1}), bias = parameter(pt::Dims{1});
  double first = 0, last = 0;
  for (int i = 0; i < 200; ++i) {
    const pt::Tensor error = pt::matmul(inputs, weight) + bias - targets;
    const pt::Tensor loss = pt::mean(error * error);
    pt::backward(loss);
    step(weight, 0.3);
    step(bias, 0.3);
    last = loss.item().to_double();
    if (i == 0) first = last;
  }
  std::printf("loss %.3f -> %.6f, y = %.2f x + %.2f\n", first, last, weight.item().to_double(),
              bias.item().to_double());
  return last < 1e-3 ? 0 : 1;
}
