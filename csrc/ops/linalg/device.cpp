// See device.h. Cholesky and LU go from left to right: a block of the diagonal (of LU, a panel) is
// factored, the rows or columns beside it are solved, and their product is taken from the rest.
#include "ops/linalg/device.h"

#include <algorithm>

#include "cpu/gemm_args.h"
#include "cpu/kernel_table.h"
#include "cuda/args/linalg_args.h"
#include "ops/linalg/batch.h"
#include "ops/shape/shape.h"

namespace pt::linalg_ops::device {

namespace {

const Kernel<DeviceCholeskyFn> kCholesky{"device_cholesky"};
const Kernel<DeviceTriangularFn> kTriangular{"device_triangular"};
const Kernel<DeviceLuPanelFn> kLuPanel{"device_lu_panel"};
const Kernel<DeviceExchangeFn> kExchange{"device_exchange"};
const Kernel<DeviceLuProductFn> kLuProduct{"device_lu_product"};
const Kernel<GemmFn> kGemm{"gemm"};

// What a product takes from the triangle of a symmetric rest is cut into strips of so many columns.
constexpr int64_t kStrip = 512;

struct View {
  DType dtype;
  int64_t count;
  DeviceMatrices m;

  explicit View(const Tensor& t)
      : dtype(t.dtype()),
        count(batch_size(t)),
        m{t.raw(), rows_of(t), columns_of(t), columns_of(t), 1, rows_of(t) * columns_of(t)} {}

  View block(int64_t i, int64_t j, int64_t rows, int64_t columns) const {
    View v = *this;
    v.m.data = static_cast<char*>(m.data) +
               (i * m.row + j * m.column) * static_cast<int64_t>(item_size(dtype));
    v.m.rows = rows;
    v.m.columns = columns;
    return v;
  }
  View transposed() const {
    View v = *this;
    std::swap(v.m.rows, v.m.columns);
    std::swap(v.m.row, v.m.column);
    return v;
  }
  View upside_down() const {
    View v = block(m.rows - 1, 0, m.rows, m.columns);
    v.m.row = -m.row;
    return v;
  }
  int64_t largest_block() const {
    return dtype == DType::kFloat32 ? kLinalgBlock<float> : kLinalgBlock<double>;
  }
};

// c -= a @ b, in float32 with all of its bits.
void subtract_product(const View& c, const View& a, const View& b) {
  if (c.m.rows == 0 || c.m.columns == 0) return;
  if (c.m.column != 1 && c.m.row == 1)
    return subtract_product(c.transposed(), b.transposed(), a.transposed());
  GemmArgs g;
  g.m = c.m.rows;
  g.n = c.m.columns;
  g.k = a.m.columns;
  g.a = a.m.data;
  g.a_row = a.m.row;
  g.a_col = a.m.column;
  g.b = b.m.data;
  g.b_row = b.m.row;
  g.b_col = b.m.column;
  g.c = c.m.data;
  g.c_row = c.m.row;
  g.c_col = c.m.column;
  g.batch = c.count;
  g.a_batch = a.m.batch;
  g.b_batch = b.m.batch;
  g.c_batch = c.m.batch;
  g.alpha = -1;
  g.beta = 1;
  kGemm.get(c.dtype)(g);
}

// The triangle and x of the left-hand system.
void solve(const View& a, Shape shape, const View& x) {
  const int64_t n = a.m.rows, size = a.largest_block(), blocks = (n + size - 1) / size;
  for (int64_t step = 0; step < blocks; ++step) {
    const int64_t i = (shape.upper ? blocks - 1 - step : step) * size, w = std::min(size, n - i);
    View diagonal = a.block(i, i, w, w);
    const View own = x.block(i, 0, w, x.m.columns);
    View found = own;
    if (shape.upper) {
      diagonal = diagonal.upside_down().transposed().upside_down().transposed();
      found = own.upside_down();
    }
    kTriangular.get(a.dtype)({diagonal.m, found.m, a.count, shape.unit});
    const int64_t from = shape.upper ? 0 : i + w, rest = shape.upper ? i : n - i - w;
    subtract_product(x.block(from, 0, rest, x.m.columns), a.block(from, i, rest, w), own);
  }
}

// The width of a panel of so many rows at the left of `columns`: all of them if shared memory has
// place for them, else as many as make good products.
int64_t panel_width(int64_t rows, int64_t columns, int64_t element) {
  const auto fits = [&](int64_t width) { return width * (rows | 1) * element <= kLinalgShared; };
  if (fits(columns)) return columns;
  return std::min<int64_t>(columns, !fits(32) && fits(16) ? 16 : 32);
}

void lu_product(const Tensor& lu, const Tensor& pivots, void* det, void* sign, void* log) {
  const View a(lu);
  kLuProduct.get(a.dtype)(
      {a.m, a.count, pivots.data<int32_t>(), pivots.sizes().back(), det, sign, log});
}

}  // namespace

Tensor cholesky(Tensor& t) {
  const View a(t);
  const Tensor info = zeros_tensor(Dims{a.count}, DType::kInt32);
  const int64_t n = a.m.rows;
  for (int64_t j = 0; j < n; j += a.largest_block()) {
    const int64_t w = std::min(a.largest_block(), n - j), rest = n - j - w;
    const View diagonal = a.block(j, j, w, w);
    kCholesky.get(a.dtype)({diagonal.m, a.count, j, info.data<int32_t>()});
    if (rest == 0) break;
    const View below = a.block(j + w, j, rest, w);
    kTriangular.get(a.dtype)({diagonal.m, below.transposed().m, a.count, false});
    for (int64_t c = 0; c < rest; c += kStrip) {
      const int64_t wide = std::min(kStrip, rest - c);
      subtract_product(a.block(j + w + c, j + w + c, rest - c, wide),
                       below.block(c, 0, rest - c, w), below.block(c, 0, wide, w).transposed());
    }
  }
  if (n > a.largest_block()) t = tril(t);  // between the blocks
  return info;
}

Tensor lu_factor(const Tensor& t, const Tensor& pivots) {
  const View a(t);
  const Tensor info = zeros_tensor(Dims{a.count}, DType::kInt32);
  const int64_t m = a.m.rows, n = a.m.columns, k = std::min(m, n);
  const auto element = static_cast<int64_t>(item_size(a.dtype));
  int32_t* places = pivots.data<int32_t>();
  int64_t w = 0;
  for (int64_t j = 0; j < k; j += w) {
    const int64_t rows = m - j, columns = n - j;
    w = panel_width(rows, columns, element);
    if (w < columns) w = std::min(w, k - j);
    const View panel = a.block(j, j, rows, w);
    kLuPanel.get(a.dtype)({panel.m, a.count, j, places + j, k, info.data<int32_t>()});
    kExchange.get(a.dtype)({a.m, a.count, j, std::min(j + w, k), w, places, k});
    if (w >= columns) break;
    const View right = a.block(j, j + w, w, columns - w);
    kTriangular.get(a.dtype)({panel.block(0, 0, w, w).m, right.m, a.count, true});
    subtract_product(a.block(j + w, j + w, rows - w, columns - w), panel.block(w, 0, rows - w, w),
                     right);
  }
  return info;
}

void solve_triangular(const Tensor& a, Shape shape, bool left, const Tensor& x) {
  if (left) {
    solve(View(a), shape, View(x));
  } else {
    solve(View(a).transposed(), {!shape.upper, shape.unit}, View(x).transposed());
  }
}

void lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& x) {
  const View a(lu), all(x);
  const int64_t n = a.m.rows;
  kExchange.get(a.dtype)({all.m, a.count, 0, n, 0, pivots.data<int32_t>(), n});
  solve(a, {.unit = true}, all);
  solve(a, {.upper = true}, all);
}

void lu_det(const Tensor& lu, const Tensor& pivots, const Tensor& det) {
  lu_product(lu, pivots, det.raw(), nullptr, nullptr);
}
void lu_slogdet(const Tensor& lu, const Tensor& pivots, const Tensor& sign, const Tensor& log) {
  lu_product(lu, pivots, nullptr, sign.raw(), log.raw());
}

}  // namespace pt::linalg_ops::device
