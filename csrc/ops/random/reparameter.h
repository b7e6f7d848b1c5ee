// How gamma and beta samples move with their parameters at a fixed quantile, for the gradients of
// samples; scalar double code. Called by samplers.cpp.
#pragma once

namespace pt::random {

// dx/da of a sample x of Gamma(a, 1). NaN unless a > 0 and finite; 0 for x <= 0.
double gamma_slope(double a, double x);

// dx/da / (1 - x) of a sample x of Beta(a, b): with it the gradient of a Dirichlet sample is
// slope * (grad - sum(x * grad)). NaN unless a and b are positive; 0 for x <= 0.
double beta_slope(double a, double b, double x);

}  // namespace pt::random
