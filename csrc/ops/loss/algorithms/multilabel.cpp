// See multilabel.h.
#include "ops/loss/algorithms/multilabel.h"

#include <vector>

#include "core/parallel.h"

namespace pt {

namespace {

// Calls row(r, labels, number of labels, is_label) for every row.
template <class F>
void for_each_row(const LabelledRows& a, F row) {
  const int64_t grain = std::max<int64_t>(1, 8192 / std::max<int64_t>(1, a.n));
  parallel_for(0, a.rows, grain, [&](int64_t begin, int64_t end) {
    std::vector<char> is_label(static_cast<size_t>(a.n));
    for (int64_t r = begin; r < end; ++r) {
      const int64_t* labels = a.labels + r * a.n;
      int64_t count = 0;
      while (count < a.n && labels[count] >= 0) is_label[static_cast<size_t>(labels[count++])] = 1;
      row(r, labels, count, is_label.data());
      for (int64_t i = 0; i < count; ++i) is_label[static_cast<size_t>(labels[i])] = 0;
    }
  });
}

template <class T>
void losses_of(const LabelledRows& a, T* losses) {
  for_each_row(a, [&](int64_t r, const int64_t* labels, int64_t count, const char* is_label) {
    const T* x = static_cast<const T*>(a.in) + r * a.n;
    double total = 0;
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t c = 0; c < a.n; ++c) {
        const T z = 1 - x[labels[i]] + x[c];
        if (!is_label[c] && z > 0) total += static_cast<double>(z);
      }
    }
    losses[r] = static_cast<T>(total / static_cast<double>(a.n));
  });
}

template <class T>
void gradient_of(const LabelledRows& a, const T* grad, T* out) {
  for_each_row(a, [&](int64_t r, const int64_t* labels, int64_t count, const char* is_label) {
    const T* x = static_cast<const T*>(a.in) + r * a.n;
    T* y = out + r * a.n;
    const T g = grad[r] / static_cast<T>(a.n);
    for (int64_t c = 0; c < a.n; ++c) y[c] = 0;
    for (int64_t i = 0; i < count; ++i) {
      int64_t active = 0;
      for (int64_t c = 0; c < a.n; ++c) {
        const bool on = !is_label[c] && 1 - x[labels[i]] + x[c] > 0;
        y[c] += on ? g : T(0);
        active += on;
      }
      y[labels[i]] -= g * static_cast<T>(active);
    }
  });
}

}  // namespace

void multilabel_margin_losses(const LabelledRows& r, DType dtype, void* losses) {
  if (dtype == DType::kFloat64) return losses_of(r, static_cast<double*>(losses));
  losses_of(r, static_cast<float*>(losses));
}

void multilabel_margin_gradient(const LabelledRows& r, DType dtype, const void* grad, void* out) {
  if (dtype == DType::kFloat64)
    return gradient_of(r, static_cast<const double*>(grad), static_cast<double*>(out));
  gradient_of(r, static_cast<const float*>(grad), static_cast<float*>(out));
}

}  // namespace pt
