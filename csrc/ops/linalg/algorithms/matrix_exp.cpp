// The exponential of a matrix by scaling and squaring with diagonal Pade approximants
// (Higham 2005): exp(A) = (q(A / 2^s)^-1 p(A / 2^s))^(2^s).
#include "ops/linalg/algorithms/linalg.h"

namespace pt::linalg {
namespace {

// Coefficients of the approximants of degree 3, 5, 7, 9 and 13 and the largest 1-norm for which
// each is exact to unit roundoff, for double and for float.
struct Pade {
  int degree;
  double limit_f64, limit_f32;
  double b[14];
};
constexpr Pade kPade[] = {
    {3, 1.495585217958292e-2, 4.258730016922831e-1, {120, 60, 12, 1}},
    {5, 2.539398330063230e-1, 1.880152677804762, {30240, 15120, 3360, 420, 30, 1}},
    {7,
     9.504178996162932e-1,
     3.925724783138660,
     {17297280, 8648640, 1995840, 277200, 25200, 1512, 56, 1}},
    {9,
     2.097847961257068,
     0,
     {17643225600., 8821612800., 2075673600., 302702400., 30270240., 2162160., 110880., 3960., 90.,
      1.}},
    {13,
     5.371920351148152,
     0,
     {64764752532480000., 32382376266240000., 7771770303897600., 1187353796428800.,
      129060195264000., 10559470521600., 670442572800., 33522128640., 1323241920., 40840800.,
      960960., 16380., 182., 1.}}};

template <class T>
double norm1(const In<T>& a) {
  Scratch<double> sums(a.cols);
  std::fill(sums.get(), sums.get() + a.cols, 0.0);
  double largest = 0;
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < a.cols; ++j) sums[j] += std::abs(static_cast<double>(a(i, j)));
  }
  for (int64_t j = 0; j < a.cols; ++j) {
    if (!(sums[j] <= largest)) largest = sums[j];
    if (std::isnan(largest)) break;
  }
  return largest;
}

template <class T>
void add_scaled(const Matrix<T>& to, double factor, const In<T>& from) {
  primitives<T>().axpy(to.rows * to.cols, static_cast<T>(factor), from.data, to.data);
}

template <class T>
void add_to_diagonal(const Matrix<T>& a, double value) {
  for (int64_t i = 0; i < a.rows; ++i) a(i, i) += static_cast<T>(value);
}

// result = q(A)^-1 p(A) with p(A) = V + U, q(A) = V - U; all matrices contiguous.
template <class T>
void approximate(const Pade& pade, const Matrix<T>& a, const Matrix<T>& result) {
  const int64_t n = a.rows;
  const int count = std::min(pade.degree / 2, pade.degree == 13 ? 3 : 4);
  Scratch<T> storage(n * n * count), u(n, n), v(n, n), w(n, n);
  auto power = [&](int i) { return Matrix<T>(storage.get() + (i - 1) * n * n, n, n); };  // A^(2i)
  product<T>(power(1), T(1), a, a, T(0));
  for (int i = 2; i <= count; ++i) product<T>(power(i), T(1), power(i - 1), power(1), T(0));
  const double* b = pade.b;
  fill(w.view(), 0);
  fill(v.view(), 0);
  if (pade.degree == 13) {
    Scratch<T> high(n, n);
    for (int i = 1; i <= 3; ++i) add_scaled<T>(w.view(), b[7 + 2 * i], power(i));
    product<T>(high.view(), T(1), power(3), w.view(), T(0));
    std::swap(high, w);
    fill(high.view(), 0);
    for (int i = 1; i <= 3; ++i) add_scaled<T>(high.view(), b[6 + 2 * i], power(i));
    product<T>(v.view(), T(1), power(3), high.view(), T(0));
  }
  const int last = pade.degree == 13 ? 3 : pade.degree / 2;
  for (int i = 1; i <= last; ++i) {
    add_scaled<T>(w.view(), b[2 * i + 1], power(i));
    add_scaled<T>(v.view(), b[2 * i], power(i));
  }
  add_to_diagonal(w.view(), b[1]);
  add_to_diagonal(v.view(), b[0]);
  product<T>(u.view(), T(1), a, w.view(), T(0));
  for (int64_t i = 0; i < n * n; ++i) {
    result.data[i] = v[i] + u[i];
    v[i] -= u[i];
  }
  Scratch<int32_t> pivots(n);
  lu_factor(v.view(), pivots.get());
  lu_solve<T>(v.view(), pivots.get(), false, result);
}

}  // namespace

template <class T>
void matrix_exp(const In<T>& a, const Matrix<T>& result) {
  const int64_t n = a.rows;
  if (n == 0) return;
  const double norm = norm1<T>(a);
  if (!std::isfinite(norm)) return fill(result, std::numeric_limits<T>::quiet_NaN());
  constexpr bool kDouble = sizeof(T) == sizeof(double);
  Scratch<T> x(n, n), y(n, n);
  copy<T>(a, x.view());
  int squarings = 0;
  const Pade* chosen = nullptr;
  for (const Pade& pade : kPade) {
    const double limit = kDouble ? pade.limit_f64 : pade.limit_f32;
    if (limit == 0) break;
    chosen = &pade;
    if (norm <= limit) break;
  }
  const double limit = kDouble ? chosen->limit_f64 : chosen->limit_f32;
  if (norm > limit) {
    squarings = std::max(0, std::ilogb(norm / limit) + 1);
    scale(x.view(), std::ldexp(T(1), -squarings));
  }
  approximate(*chosen, x.view(), y.view());
  for (int i = 0; i < squarings; ++i) {
    product<T>(x.view(), T(1), y.view(), y.view(), T(0));
    std::swap(x, y);
  }
  copy<T>(y.view(), result);
}

template void matrix_exp<float>(const In<float>&, const Matrix<float>&);
template void matrix_exp<double>(const In<double>&, const Matrix<double>&);

}  // namespace pt::linalg
