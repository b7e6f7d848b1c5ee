// Factorizations and triangular systems on a device, a part of a matrix at a time: the op code
// (ops/linalg/device.cpp) puts the parts together with matrix products. Slots: float and double.
#pragma once

#include <cstdint>

namespace pt {

// `count` matrices of any strides, in elements.
struct DeviceMatrices {
  void* data = nullptr;
  int64_t rows = 0, columns = 0;
  int64_t row = 0, column = 0, batch = 0;
};

// A block has 48 KB of shared memory, less what its threads exchange.
inline constexpr int64_t kLinalgShared = 47 * 1024;
// The largest matrix that "device_cholesky" and "device_triangular" take.
template <class T>
inline constexpr int64_t kLinalgBlock = sizeof(T) == 4 ? 96 : 64;

// "device_cholesky": overwrites a, symmetric of at most kLinalgBlock rows, of which the lower
// triangle is read, with its factor and zeros above. info = first + the order of the first minor
// that is not positive, or 0; matrices whose info is not 0 already are left, unless first is 0.
struct DeviceCholesky {
  DeviceMatrices a;
  int64_t count = 0, first = 0;
  int32_t* info = nullptr;
};
using DeviceCholeskyFn = void(const DeviceCholesky&);

// "device_triangular": overwrites x with the solution of a * solution = x, where a is lower
// triangular of at most kLinalgBlock rows. An upper one is a lower one with its rows and columns in
// reverse: strides may be negative.
struct DeviceTriangular {
  DeviceMatrices a, x;
  int64_t count = 0;
  bool unit = false;  // the diagonal is ones, and not read
};
using DeviceTriangularFn = void(const DeviceTriangular&);

// "device_lu_panel": eliminates the columns of a panel with partial pivoting. The elements of its
// rows are neighbours, the first one is on the diagonal of its matrix, at `first`. pivots[i] = 1 +
// the row of the matrix with which row first + i was exchanged (in the panel only); info as in
// DeviceCholesky, of zeros on the diagonal, after which the elimination goes on.
struct DeviceLuPanel {
  DeviceMatrices a;
  int64_t count = 0, first = 0;
  int32_t* pivots = nullptr;
  int64_t pivots_batch = 0;
  int32_t* info = nullptr;
};
using DeviceLuPanelFn = void(const DeviceLuPanel&);

// "device_exchange": exchanges row i with row pivots[i] - 1 for i from `from` to `to`, in all
// columns but the `skipped` ones from `from` on.
struct DeviceExchange {
  DeviceMatrices a;
  int64_t count = 0, from = 0, to = 0, skipped = 0;
  const int32_t* pivots = nullptr;
  int64_t pivots_batch = 0;
};
using DeviceExchangeFn = void(const DeviceExchange&);

// "device_lu_product": of the diagonal of U and the signs of the exchanges, for each matrix: the
// product, or, without det, its sign and the logarithm of its absolute value.
struct DeviceLuProduct {
  DeviceMatrices a;
  int64_t count = 0;
  const int32_t* pivots = nullptr;
  int64_t pivots_batch = 0;
  void *det = nullptr, *sign = nullptr, *log = nullptr;
};
using DeviceLuProductFn = void(const DeviceLuProduct&);

}  // namespace pt
