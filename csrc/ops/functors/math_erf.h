// erf, erfc, erfcx and the normal distribution function.
//
// erf: an odd polynomial below 1, 1 - (a small erfc) above. erfc: e^(-a^2) P((a-2)/(a+2)) / (1+2a)
// after Shepherd and Laframboise (1981), "Chebyshev approximation of (1+2x)exp(x^2)erfc x"; float
// computes it in double. Own minimax fits, relative error below 2^-29 (float), 2^-54 (double).
// The float normal_cdf is 2^-polynomial, cheap and exact to 1e-7 of 1 (activation functions).
#pragma once

#include "ops/functors/math_exp.h"

namespace PT_FUNCTOR_NAMESPACE::math {

// e^(a^2) erfc(a) for 0 <= a <= 27.3.
PT_INLINE double erfcx_bounded(double a) {
  const double q = (a - 2.0) / (a + 2.0);
  const double p = poly(q, 1.27697838155252885e+00, -9.27638265857464034e-02,
                        -1.66030397615313713e-01, 1.64051280033489205e-01, -5.42200009905553365e-02,
                        -8.03401508400658840e-03, 8.72265384009245082e-03, 1.27133898882468219e-03,
                        -1.45681350043643551e-03, -4.54340995743851811e-04, 2.06363871813972376e-04,
                        1.51039734875644253e-04, -1.49382648496418388e-06, -3.64234503416985232e-05,
                        -1.35440847744337746e-05, 3.70421444105409514e-06, 5.33440617426317384e-06,
                        1.53073961834222413e-06, -8.55294449966828893e-07, -8.90072905739143533e-07,
                        -1.13467701153274233e-07, 2.04288707725330598e-07, 7.96435798426903580e-08,
                        -1.82556374789857909e-08, -1.09788984635866038e-08);
  return p / (1.0 + 2.0 * a);
}
// e^(-a^2) for 0 <= a <= 27.3; a^2 is split, for its rounding error would show in the result.
PT_INLINE double exp_minus_square(double a) {
  const double high = from_bits<double>(bits(a) & ~uint64_t{0x7ffffff});
  const double d = (high - a) * (high + a);
  const double e = exp_nonpositive(-(high * high));
  return e + e * (d + d * d * (0.5 + d * (1.0 / 6)));
}
PT_INLINE double erfc_nonnegative(double a) {
  const double b = select(a > 27.3, 27.3, a);
  return exp_minus_square(b) * erfcx_bounded(b);
}

PT_INLINE double erfc(double x) {
  const double y = erfc_nonnegative(abs(x));
  return select(x < 0.0, 2.0 - y, y);
}
PT_INLINE double erf(double x) {
  const double a = abs(x);
  const double z = a * a;
  const double small =
      a + a * poly(z, 1.28379167095512586e-01, -3.76126389031837483e-01, 1.12837916709548569e-01,
                   -2.68661706450728753e-02, 5.22397762478070578e-03, -8.54832697873426830e-04,
                   1.20553310366449781e-04, -1.49255935014225906e-05, 1.64609727377832075e-06,
                   -1.63500244574396586e-07, 1.46578751240462160e-08, -1.13656491570578868e-09,
                   5.94523544036137462e-11);
  return copysign(select(a < 1.0, small, 1.0 - erfc_nonnegative(a)), x);
}

PT_INLINE float erf(float x) {
  const float a = abs(x);
  const float z = a * a;
  const float small =
      a + a * poly(z, 1.283791661e-01, -3.761262596e-01, 1.128358543e-01, -2.685380913e-02,
                   5.188324023e-03, -8.010161691e-04, 7.853761053e-05);
  const float b = select(a > 3.925f, 3.925f, a);
  const float g = poly(b, -1.880302880e-04, 1.129578352e+00, 6.332199574e-01, 1.084184870e-01,
                       -2.520820498e-02, 4.204543307e-03, -4.413327842e-04, 2.168655919e-05);
  // e^-g is 2e-8 at least, so its exponent needs no care.
  const auto [r, n_bits] = reduce_exp(-g);
  const float e = from_bits<float>(bits(1.0f + (r + r * r * exp_tail(r))) + (n_bits << 23));
  return copysign(select(a < 1.0f, small, select(is_nan(x), x, 1.0f - e)), x);
}

PT_INLINE float erfc(float x) {
  const double a = double(abs(x));
  const double b = select(a > 10.1, 10.1, a);
  const double q = (b - 2.0) / (b + 2.0);
  const double p = poly(q, 1.27697838179666912e+00, -9.27638285924445027e-02,
                        -1.66030429279420133e-01, 1.64051357502466244e-01, -5.42193048356042831e-02,
                        -8.03468614557435214e-03, 8.71683563471076922e-03, 1.27219700752401643e-03,
                        -1.43438989735250729e-03, -4.45095847435745065e-04, 1.67445584357696949e-04,
                        1.16326867801512315e-04, 1.77315745952923433e-05);
  const auto [r, n_bits] = reduce_exp(-(b * b));
  const double e = from_bits<double>(bits(1.0 + (r + r * r * exp_tail(r))) + (n_bits << 52));
  double y = e * p / (1.0 + 2.0 * b);
  y = select(a > 10.1, 0.0, y);
  return select(is_nan(x), x, float(select(x < 0.0f, 2.0 - y, y)));
}
PT_INLINE float normal_cdf(float x) {
  const float a = abs(x);
  const float b = select(a > 9.0f, 9.0f, a);
  const float h = poly(b, 9.999999404e-01, 1.151106119e+00, 4.592050910e-01, 5.248792842e-02,
                       -7.012418006e-03, 4.821887705e-05, 2.610270167e-04, -7.338704017e-05,
                       1.117739612e-05, -1.023475875e-06, 5.267073888e-08, -1.169974673e-09);
  const float t = FloatLayout<float>::kRoundMagic - h;
  const float r = (FloatLayout<float>::kRoundMagic - t) - h;
  const float p = 1.0f + r * exp2_tail(r);
  const float tail = select(a > 9.0f, 0.0f, from_bits<float>(bits(p) + (bits(t) << 23)));
  return select(is_nan(x), x, select(x < 0.0f, tail, 1.0f - tail));
}
PT_INLINE double normal_cdf(double x) {
  const double tail = 0.5 * erfc_nonnegative(abs(x) * kSqrtHalf);
  return select(x < 0.0, tail, 1.0 - tail);
}

}  // namespace PT_FUNCTOR_NAMESPACE::math
