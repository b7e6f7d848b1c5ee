// What the linalg ops share: argument checks, contiguous working copies, loops over batches, infos.
#pragma once

#include <algorithm>
#include <limits>

#include "op/copy.h"
#include "op/define.h"
#include "ops/linalg/algorithms/linalg.h"
#include "ops/linalg/linalg.h"
#include "ops/pointwise/compare.h"
#include "ops/view/view.h"

namespace pt::linalg_ops {

using linalg::Matrix;
using linalg::Scratch;

inline void check_floating(const char* op, const Tensor& a, const char* name) {
  PT_CHECK(a.dtype() == DType::kFloat32 || a.dtype() == DType::kFloat64, op,
           ": Expected a floating point or complex tensor as input. Got ", dtype_name(a.dtype()),
           " for argument '", name, "'");
}
inline void check_matrix(const char* op, const Tensor& a, const char* name) {
  PT_CHECK(a.dim() >= 2, op, ": The input tensor ", name, " must have at least 2 dimensions.");
  check_floating(op, a, name);
}
inline void check_square(const char* op, const Tensor& a, const char* name) {
  check_matrix(op, a, name);
  PT_CHECK(a->sizes[a.dim() - 2] == a->sizes[a.dim() - 1], op, ": ", name,
           " must be batches of square matrices, but they are ", a->sizes[a.dim() - 2], " by ",
           a->sizes[a.dim() - 1], " matrices");
}

inline void check_same_dtype(const char* op, const Tensor& a, const Tensor& b) {
  PT_CHECK(a.dtype() == b.dtype(), op,
           ": Expected A and B to have the same dtype, but found A of type ", dtype_name(a.dtype()),
           " and B of type ", dtype_name(b.dtype()), " instead");
}

inline int64_t rows_of(const Tensor& a) { return a->sizes[a.dim() - 2]; }
inline int64_t columns_of(const Tensor& a) { return a->sizes[a.dim() - 1]; }
inline Dims batch_of(const Tensor& a, int drop = 2) {
  return Dims(IntList(a.sizes()).first(static_cast<size_t>(a.dim() - drop)));
}
inline Dims with(Dims batch, std::initializer_list<int64_t> tail) {
  for (int64_t n : tail) batch.push_back(n);
  return batch;
}
inline int64_t batch_size(const Tensor& a) {
  const Dims b = batch_of(a);
  int64_t n = 1;
  for (int64_t s : b) n *= s;
  return n;
}
// The i-th matrix of a contiguous batch.
template <class T>
Matrix<T> matrix_at(const Tensor& a, int64_t i) {
  const int64_t r = rows_of(a), c = columns_of(a);
  return {a.data<T>() + i * r * c, r, c};
}

// Calls f(T{}) with float or double.
template <class F>
void visit_real(DType t, F&& f) {
  if (t == DType::kFloat32) {
    f(float{});
  } else {
    f(double{});
  }
}

// "(Batch element 3): " when there is a batch.
inline std::string batch_text(const Tensor& a, int64_t i) {
  return a.dim() > 2 ? concat("(Batch element ", i, "): ") : std::string();
}

inline Tensor transposed(const Tensor& a) { return transpose(a, -2, -1); }

inline Tensor expand_batch(const Tensor& x, const Dims& batch) {
  return expand(x, IntList(with(batch, {rows_of(x), columns_of(x)})));
}

// Calls check(i, info of matrix i). Waits for a device.
template <class F>
void check_info(const Tensor& info, F check) {
  const Tensor here = call_on_device ? copy_to(info, DType::kInt32, Device()) : info;
  for (int64_t i = 0; i < here.numel(); ++i) check(i, here.data<int32_t>()[i]);
}

// NaN for the matrices whose info, of the shape of a batch, is not 0.
inline Tensor nan_where_failed(const Tensor& t, const Tensor& info) {
  if (!call_on_device) {
    const int32_t* p = info.data<int32_t>();
    if (std::all_of(p, p + info.numel(), [](int32_t i) { return i == 0; })) return t;
  }
  const Tensor fine = eq(unsqueeze(unsqueeze(info, -1), -1), 0);
  return where(fine, t, wrapped_number(std::numeric_limits<double>::quiet_NaN()));
}

}  // namespace pt::linalg_ops
