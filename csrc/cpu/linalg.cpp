// Vector primitives of the dense linear algebra routines, compiled once per ISA.
// Written with the compiler's vector extensions; sums run in several vector lanes and are folded
// in a fixed order, so a result depends on the ISA but never on threads or alignment.
// Used through the table in cpu/linalg_args.h only.
#include "cpu/linalg_args.h"

#include "cpu/kernel_table.h"

namespace pt::PT_ISA {
namespace {

template <class T>
struct Vec {
  static constexpr int64_t kLanes = kVectorBytes / static_cast<int>(sizeof(T));
  typedef T Type __attribute__((vector_size(kVectorBytes)));
  typedef T Unaligned __attribute__((vector_size(kVectorBytes), aligned(alignof(T)), may_alias));
};

template <class T>
inline typename Vec<T>::Type load(const T* p) {
  return *reinterpret_cast<const typename Vec<T>::Unaligned*>(p);
}
template <class T>
inline void store(T* p, typename Vec<T>::Type v) {
  *reinterpret_cast<typename Vec<T>::Unaligned*>(p) = v;
}

template <class T>
inline T fold(typename Vec<T>::Type v) {
  T lanes[Vec<T>::kLanes];
  store(lanes, v);
  for (int64_t width = Vec<T>::kLanes / 2; width > 0; width /= 2) {
    for (int64_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

template <class T>
T dot(int64_t n, const T* x, const T* y) {
  constexpr int64_t w = Vec<T>::kLanes;
  int64_t i = 0;
  T sum = 0;
  if (n >= w) {
    typename Vec<T>::Type s0 = {}, s1 = {}, s2 = {}, s3 = {};
    for (; i + 4 * w <= n; i += 4 * w) {
      s0 += load(x + i) * load(y + i);
      s1 += load(x + i + w) * load(y + i + w);
      s2 += load(x + i + 2 * w) * load(y + i + 2 * w);
      s3 += load(x + i + 3 * w) * load(y + i + 3 * w);
    }
    for (; i + w <= n; i += w) s0 += load(x + i) * load(y + i);
    sum = fold<T>((s0 + s1) + (s2 + s3));
  }
  for (; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

template <class T>
void axpy(int64_t n, T alpha, const T* x, T* y) {
  constexpr int64_t w = Vec<T>::kLanes;
  int64_t i = 0;
  for (; i + w <= n; i += w) store(y + i, load(y + i) + alpha * load(x + i));
  for (; i < n; ++i) y[i] += alpha * x[i];
}

template <class T>
void rank1(int64_t m, int64_t n, T alpha, const T* x, int64_t x_stride, const T* y, T* a,
           int64_t ld) {
  for (int64_t i = 0; i < m; ++i) axpy(n, alpha * x[i * x_stride], y, a + i * ld);
}

// Four rows at a time, so that y is read and written once for four rows of A.
template <class T>
void combine_rows(int64_t m, int64_t n, T alpha, const T* a, int64_t ld, const T* x,
                  int64_t x_stride, T* y) {
  constexpr int64_t w = Vec<T>::kLanes;
  int64_t r = 0;
  for (; r + 4 <= m; r += 4) {
    const T* a0 = a + r * ld;
    const T* a1 = a0 + ld;
    const T* a2 = a1 + ld;
    const T* a3 = a2 + ld;
    const T x0 = alpha * x[r * x_stride], x1 = alpha * x[(r + 1) * x_stride];
    const T x2 = alpha * x[(r + 2) * x_stride], x3 = alpha * x[(r + 3) * x_stride];
    int64_t i = 0;
    for (; i + w <= n; i += w) {
      typename Vec<T>::Type v = load(y + i);
      v += x0 * load(a0 + i);
      v += x1 * load(a1 + i);
      v += x2 * load(a2 + i);
      v += x3 * load(a3 + i);
      store(y + i, v);
    }
    for (; i < n; ++i) {
      T v = y[i];
      v += x0 * a0[i];
      v += x1 * a1[i];
      v += x2 * a2[i];
      v += x3 * a3[i];
      y[i] = v;
    }
  }
  for (; r < m; ++r) axpy(n, alpha * x[r * x_stride], a + r * ld, y);
}

template <class T>
void symv_lower(int64_t n, const T* a, int64_t ld, const T* x, T* y) {
  constexpr int64_t w = Vec<T>::kLanes;
  for (int64_t i = 0; i < n; ++i) {
    const T* row = a + i * ld;
    const T xi = x[i];
    typename Vec<T>::Type acc = {};
    int64_t j = 0;
    for (; j + w <= i; j += w) {
      const typename Vec<T>::Type v = load(row + j);
      acc += v * load(x + j);
      store(y + j, load(y + j) + xi * v);
    }
    T sum = fold<T>(acc);
    for (; j < i; ++j) {
      sum += row[j] * x[j];
      y[j] += xi * row[j];
    }
    y[i] = sum + row[i] * xi;
  }
}

template <class T>
void rank2_lower(int64_t n, const T* x, const T* y, T* a, int64_t ld) {
  constexpr int64_t w = Vec<T>::kLanes;
  for (int64_t i = 0; i < n; ++i) {
    T* row = a + i * ld;
    const T xi = x[i], yi = y[i];
    int64_t j = 0;
    for (; j + w <= i + 1; j += w) {
      store(row + j, load(row + j) - xi * load(y + j) - yi * load(x + j));
    }
    for (; j <= i; ++j) row[j] = row[j] - xi * y[j] - yi * x[j];
  }
}

// One pass over a strip of kStrip vectors: the row shared by consecutive rotations stays in
// registers, so each rotation costs one load and one store.
template <class T, int kStrip>
inline void rotate_strip(int64_t count, const T* c, const T* s, T* z, int64_t ld, bool backward) {
  constexpr int64_t w = Vec<T>::kLanes;
  typename Vec<T>::Type carried[kStrip];
  T* shared = z + (backward ? count * ld : 0);
  for (int k = 0; k < kStrip; ++k) carried[k] = load(shared + k * w);
  if (backward) {
    for (int64_t i = count - 1; i >= 0; --i) {
      T* row = z + i * ld;
      for (int k = 0; k < kStrip; ++k) {
        const typename Vec<T>::Type p = load(row + k * w);
        store(row + ld + k * w, c[i] * carried[k] - s[i] * p);
        carried[k] = c[i] * p + s[i] * carried[k];
      }
    }
    shared = z;
  } else {
    for (int64_t i = 0; i < count; ++i) {
      T* row = z + i * ld;
      for (int k = 0; k < kStrip; ++k) {
        const typename Vec<T>::Type q = load(row + ld + k * w);
        store(row + k * w, c[i] * carried[k] + s[i] * q);
        carried[k] = c[i] * q - s[i] * carried[k];
      }
    }
    shared = z + count * ld;
  }
  for (int k = 0; k < kStrip; ++k) store(shared + k * w, carried[k]);
}

template <class T>
void rotate_rows(int64_t count, int64_t cols, const T* c, const T* s, T* z, int64_t ld,
                 bool backward) {
  constexpr int64_t w = Vec<T>::kLanes;
  if (count <= 0) return;
  int64_t j = 0;
  for (; j + 4 * w <= cols; j += 4 * w) rotate_strip<T, 4>(count, c, s, z + j, ld, backward);
  for (; j + w <= cols; j += w) rotate_strip<T, 1>(count, c, s, z + j, ld, backward);
  if (j == cols) return;
  for (int64_t step = 0; step < count; ++step) {
    const int64_t i = backward ? count - 1 - step : step;
    T* p = z + i * ld;
    T* q = p + ld;
    for (int64_t k = j; k < cols; ++k) {
      const T old_p = p[k], old_q = q[k];
      p[k] = c[i] * old_p + s[i] * old_q;
      q[k] = c[i] * old_q - s[i] * old_p;
    }
  }
}

template <class T>
const void* primitives() {
  static constexpr LinalgPrimitives<T> table = {
      dot<T>, axpy<T>, rank1<T>, combine_rows<T>, symv_lower<T>, rank2_lower<T>, rotate_rows<T>};
  return &table;
}

// Slots follow DType: float32 and float64 come ninth and tenth.
static_assert(static_cast<int>(DType::kFloat32) == 8 && static_cast<int>(DType::kFloat64) == 9);
const KernelEntry entries[] = {
    {"linalg_primitives",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
      PT_FN(primitives<float>), PT_FN(primitives<double>)}},
};

}  // namespace
PT_REGISTER_KERNELS(entries)
}  // namespace pt::PT_ISA
