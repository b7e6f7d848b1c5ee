// Weights of interpolation: linear and cubic convolution (Keys, "Cubic convolution interpolation
// for digital image processing", 1981; a = -0.75, and -0.5 with antialiasing); with antialiasing
// also the windowed sinc of Lanczos, and filters are stretched where the image shrinks.
#include "ops/image/taps.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace pt {

template <class T>
int64_t Taps<T>::even() const {
  const int64_t n = offset[1];
  for (size_t j = 1; j + 1 < offset.size(); ++j) {
    if (offset[j + 1] - offset[j] != n) return 0;
  }
  return n;
}

template <class T>
Taps<T> Taps<T>::by_number(int64_t stride) const {
  Taps r;
  const auto taps = static_cast<size_t>(even()), n = offset.size() - 1;
  const auto line = static_cast<size_t>(stride);
  r.index.resize(taps * line);
  r.weight.resize(taps * line);
  for (size_t j = 0; j < n; ++j) {
    for (size_t k = 0; k < taps; ++k) {
      r.index[k * line + j] = index[j * taps + k];
      r.weight[k * line + j] = weight[j * taps + k];
    }
  }
  return r;
}

template <class T>
Taps<T> Taps<T>::transposed(int64_t in) const {
  Taps r;
  r.offset.assign(static_cast<size_t>(in) + 1, 0);
  r.index.resize(index.size());
  r.weight.resize(weight.size());
  for (const int32_t i : index) ++r.offset[static_cast<size_t>(i) + 1];
  for (size_t i = 1; i < r.offset.size(); ++i) r.offset[i] += r.offset[i - 1];
  std::vector<int64_t> next(r.offset.begin(), r.offset.end() - 1);
  for (size_t j = 0; j + 1 < offset.size(); ++j) {
    for (int64_t k = offset[j]; k < offset[j + 1]; ++k) {
      const auto from = static_cast<size_t>(k);
      const auto to = static_cast<size_t>(next[static_cast<size_t>(index[from])]++);
      r.index[to] = static_cast<int32_t>(j);
      r.weight[to] = weight[from];
    }
  }
  return r;
}

namespace {

// Input elements per output element.
template <class T>
T step_of(const Interpolation& how, int64_t in, int64_t out, double scale) {
  if (how.align_corners) return out > 1 ? static_cast<T>(in - 1) / static_cast<T>(out - 1) : T(0);
  return scale > 0 ? static_cast<T>(1.0 / scale) : static_cast<T>(in) / static_cast<T>(out);
}

template <class T>
T cubic_near(T x, T a) {  // for distances up to 1
  return ((a + 2) * x - (a + 3)) * x * x + 1;
}
template <class T>
T cubic_far(T x, T a) {  // for distances from 1 to 2
  return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

template <class T>
T sinc(T x) {
  const T y = x * std::numbers::pi_v<T>;
  return y == 0 ? T(1) : std::sin(y) / y;
}

template <class T>
T filter_at(Filter filter, T x) {
  x = std::abs(x);
  if (filter == Filter::kLinear) return x < 1 ? 1 - x : T(0);
  if (filter == Filter::kLanczos) return x < 3 ? sinc(x) * sinc(x / 3) : T(0);
  const T a = T(-0.5);
  return x < 1 ? cubic_near(x, a) : x < 2 ? cubic_far(x, a) : T(0);
}

template <class T>
void add_antialiased(Taps<T>& taps, Filter filter, int64_t in, T step, int64_t j) {
  const T half = filter == Filter::kLinear ? T(1) : filter == Filter::kCubic ? T(2) : T(3);
  const T support = step >= 1 ? half * step : half;
  const T squeeze = step >= 1 ? 1 / step : T(1);
  const T center = step * (static_cast<T>(j) + T(0.5));
  const int64_t first = std::max<int64_t>(static_cast<int64_t>(center - support + T(0.5)), 0);
  const int64_t last = std::min<int64_t>(static_cast<int64_t>(center + support + T(0.5)), in);
  const size_t start = taps.weight.size();
  T total = 0;
  for (int64_t i = first; i < last; ++i) {
    const T w = filter_at(filter, (static_cast<T>(i) - center + T(0.5)) * squeeze);
    taps.index.push_back(static_cast<int32_t>(i));
    taps.weight.push_back(w);
    total += w;
  }
  for (size_t k = start; total != 0 && k < taps.weight.size(); ++k) taps.weight[k] /= total;
}

template <class T>
void add(Taps<T>& taps, int64_t index, T weight) {
  taps.index.push_back(static_cast<int32_t>(index));
  taps.weight.push_back(weight);
}

}  // namespace

template <class T>
Taps<T> make_taps(const Interpolation& how, int64_t in, int64_t out, double scale) {
  Taps<T> taps;
  const T step = step_of<T>(how, in, out, scale);
  taps.offset.push_back(0);
  for (int64_t j = 0; j < out; ++j) {
    const T center = static_cast<T>(j) + T(0.5);
    if (how.antialias && in == out) {
      add(taps, j, T(1));  // whatever the factor that was given, as in PyTorch
    } else if (how.antialias) {
      add_antialiased(taps, how.filter, in, step, j);
    } else if (how.filter == Filter::kNearest || how.filter == Filter::kNearestExact) {
      const T x = how.filter == Filter::kNearest ? static_cast<T>(j) * step : center * step;
      // Compared before the conversion: the factor may be any number.
      add(taps, x < static_cast<T>(in - 1) ? static_cast<int64_t>(x) : in - 1, T(1));
    } else {
      T x = how.align_corners ? step * static_cast<T>(j) : step * center - T(0.5);
      if (how.filter == Filter::kLinear) x = std::max(x, T(0));
      x = std::min(x, static_cast<T>(in));
      const int64_t i = std::min(static_cast<int64_t>(std::floor(x)), in - 1);
      const T t = std::clamp(x - static_cast<T>(i), T(0), T(1));
      if (how.filter == Filter::kLinear) {
        const bool same_size = in == out;
        add(taps, same_size ? j : i, same_size ? T(1) : 1 - t);
        add(taps, same_size ? j : std::min(i + 1, in - 1), same_size ? T(0) : t);
      } else {
        const T a = T(-0.75);
        const T weights[] = {cubic_far(t + 1, a), cubic_near(t, a), cubic_near(1 - t, a),
                             cubic_far(2 - t, a)};
        for (int64_t k = 0; k < 4; ++k)
          add(taps, std::clamp<int64_t>(i - 1 + k, 0, in - 1), weights[k]);
      }
    }
    taps.offset.push_back(static_cast<int64_t>(taps.index.size()));
  }
  return taps;
}

template struct Taps<float>;
template struct Taps<double>;
template Taps<float> make_taps<float>(const Interpolation&, int64_t, int64_t, double);
template Taps<double> make_taps<double>(const Interpolation&, int64_t, int64_t, double);

}  // namespace pt
