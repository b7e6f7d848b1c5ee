// Execution of plans. See plan.h.
#include "op/plan.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/parallel.h"

namespace pt {

namespace {
constexpr int64_t kTileElements = 1024;
constexpr int64_t kShortRow = 32;        // shorter rows are gathered instead of called one by one
constexpr int64_t kTransposedTile = 64;  // source lines kept in cache while a tile is gathered

int size_slot(size_t item) {
  switch (item) {
    case 1:
      return static_cast<int>(DType::kUInt8);
    case 2:
      return static_cast<int>(DType::kInt16);
    case 4:
      return static_cast<int>(DType::kInt32);
    default:
      return static_cast<int>(DType::kInt64);
  }
}
}  // namespace

Copy2dFn* copy2d_kernel(size_t item_size) {
  static const KernelEntry* entry = find_kernel("copy2d");
  return reinterpret_cast<Copy2dFn*>(entry->fn[size_slot(item_size)]);
}

FillFn* fill_kernel(size_t item_size) {
  static const KernelEntry* entry = find_kernel("fill");
  return reinterpret_cast<FillFn*>(entry->fn[size_slot(item_size)]);
}

CastFn* cast_kernel(DType from, DType to) {
  static const auto entries = [] {
    std::array<const KernelEntry*, kNumDTypes> e{};
    for (int i = 0; i < kNumDTypes; ++i)
      e[static_cast<size_t>(i)] = find_kernel((std::string("cast_from_") + kDTypeNames[i]).c_str());
    return e;
  }();
  const KernelEntry* entry = entries[static_cast<size_t>(from)];
  CastFn* fn = entry ? reinterpret_cast<CastFn*>(entry->fn[static_cast<int>(to)]) : nullptr;
  PT_CHECK_KIND(ErrorKind::kNotImplemented, fn, "conversion from ", dtype_name(from), " to ",
                dtype_name(to), " is not implemented");
  return fn;
}

Plan::Plan(IntList shape) : ndim_(static_cast<int>(shape.size())) {
  for (int i = 0; i < ndim_; ++i) sizes_[i] = shape[static_cast<size_t>(ndim_ - 1 - i)];
}

void Plan::add(void* data, DType dtype, DType kernel_dtype, const int64_t* strides) {
  Operand& o = operands_[num_operands_++];
  o.data = static_cast<char*>(data);
  o.dtype = dtype;
  o.kernel_dtype = kernel_dtype;
  const int64_t item = static_cast<int64_t>(item_size(dtype));
  for (int i = 0; i < ndim_; ++i) o.strides[i] = strides[ndim_ - 1 - i] * item;
}

void Plan::add(const Tensor& t, DType kernel_dtype) {
  Operand& o = operands_[num_operands_++];
  o.data = static_cast<char*>(t.raw());
  o.dtype = t.dtype();
  o.kernel_dtype = kernel_dtype;
  const int64_t item = static_cast<int64_t>(t.item_size());
  const int n = t.dim();
  for (int i = 0; i < ndim_; ++i) {
    const int d = n - 1 - i;
    o.strides[i] = d >= 0 && t->sizes[d] != 1 ? t->strides[d] * item : 0;
  }
}

// Dimensions are sorted by the first operand's strides (then the others'), innermost first, and
// neighbours merged where every operand steps through them as through one.
void Plan::order_and_merge() {
  int order[kMaxDims], m = 0;
  for (int i = 0; i < ndim_; ++i)
    if (sizes_[i] != 1) order[m++] = i;
  auto before = [&](int a, int b) {
    for (int k = 0; k < num_operands_; ++k) {
      const int64_t sa = std::abs(operands_[k].strides[a]), sb = std::abs(operands_[k].strides[b]);
      if (sa == 0 || sb == 0) {
        if (k == 0 && sa != sb) return sa != 0;  // never iterate innermost over a repeated output
        continue;
      }
      if (sa != sb) return sa < sb;
      if (sizes_[a] != sizes_[b]) return sizes_[a] < sizes_[b];
    }
    return false;
  };
  // Insertion sort: stable, and right for the partial order above.
  for (int i = 1; i < m; ++i) {
    const int v = order[i];
    int j = i;
    for (; j > 0 && before(v, order[j - 1]); --j) order[j] = order[j - 1];
    order[j] = v;
  }
  int64_t sizes[kMaxDims];
  int n = 0;
  bool kept_first = false;
  // In-place permutation of strides through a small copy per operand.
  for (int k = 0; k < num_operands_; ++k) {
    int64_t tmp[kMaxDims];
    for (int i = 0; i < m; ++i) tmp[i] = operands_[k].strides[order[i]];
    std::copy(tmp, tmp + m, operands_[k].strides);
  }
  for (int i = 0; i < m; ++i) {
    const int64_t size = sizes_[order[i]];
    bool merge = kept_first;
    for (int k = 0; merge && k < num_operands_; ++k)
      merge = operands_[k].strides[i] == operands_[k].strides[n - 1] * sizes[n - 1];
    if (merge) {
      sizes[n - 1] *= size;
    } else {
      sizes[n] = size;
      for (int k = 0; k < num_operands_; ++k) operands_[k].strides[n] = operands_[k].strides[i];
      ++n;
      kept_first = true;
    }
  }
  ndim_ = n;
  std::copy(sizes, sizes + n, sizes_);
  while (ndim_ < 2) {
    sizes_[ndim_] = 1;
    for (int k = 0; k < num_operands_; ++k)
      operands_[k].strides[ndim_] =
          ndim_ == 0 ? static_cast<int64_t>(item_size(operands_[k].dtype)) : 0;
    ++ndim_;
  }
}

void Plan::choose_tile(bool copying) {
  // A dimension along which some operand is contiguous while the innermost one is not: tile both.
  int across = 0;
  for (int k = 0; k < num_operands_ && across == 0; ++k) {
    const Operand& o = operands_[k];
    const int64_t item = static_cast<int64_t>(item_size(o.dtype));
    if (std::abs(o.strides[0]) <= item) continue;
    for (int d = 1; d < ndim_; ++d)
      if (o.strides[d] == item && sizes_[d] > 1) across = d;
  }
  if (across > 0) {
    std::swap(sizes_[1], sizes_[across]);
    for (int k = 0; k < num_operands_; ++k)
      std::swap(operands_[k].strides[1], operands_[k].strides[across]);
    tile0_ = std::min(sizes_[0], kTransposedTile);
    tile1_ =
        std::min(sizes_[1], std::max<int64_t>(1, (copying ? 64 : 16) * kTransposedTile / tile0_));
    if (!copying) tile1_ = std::min(tile1_, kTileElements / tile0_);
    return;
  }
  // Rows that every operand can hand to the kernel as they are need no staging buffer, so a tile
  // may be as large as a unit of parallel work.
  bool direct = copying || sizes_[0] >= kShortRow;
  for (int k = 0; k < num_operands_ && direct && !copying; ++k) {
    const Operand& o = operands_[k];
    direct = o.dtype == o.kernel_dtype &&
             (o.strides[0] == static_cast<int64_t>(item_size(o.dtype)) || o.strides[0] == 0);
  }
  const int64_t elements = direct ? kGrain : kTileElements;
  tile0_ = std::min(sizes_[0], elements);
  tile1_ = std::min(sizes_[1], std::max<int64_t>(1, elements / tile0_));
}

struct Plan::Tile {
  int64_t n0, n1;
  char* ptr[kMaxOperands];
};

template <class F>
void Plan::for_each_tile(F&& f) {
  const int64_t across0 = (sizes_[0] + tile0_ - 1) / tile0_;
  const int64_t across1 = (sizes_[1] + tile1_ - 1) / tile1_;
  int64_t units = across0 * across1;
  for (int d = 2; d < ndim_; ++d) units *= sizes_[d];
  const int64_t per_chunk = std::max<int64_t>(1, kGrain / (tile0_ * tile1_));
  parallel_for(0, units, per_chunk, [&](int64_t begin, int64_t end) {
    alignas(64) char staging[kMaxOperands * kTileElements * 8];
    int64_t index[kMaxDims];
    int64_t rest = begin;
    index[0] = rest % across0;
    rest /= across0;
    index[1] = rest % across1;
    rest /= across1;
    char* base[kMaxOperands];
    for (int k = 0; k < num_operands_; ++k) base[k] = operands_[k].data;
    for (int d = 2; d < ndim_; ++d) {
      index[d] = rest % sizes_[d];
      rest /= sizes_[d];
      for (int k = 0; k < num_operands_; ++k) base[k] += index[d] * operands_[k].strides[d];
    }
    for (int64_t u = begin; u < end; ++u) {
      Tile t;
      const int64_t i0 = index[0] * tile0_, i1 = index[1] * tile1_;
      t.n0 = std::min(tile0_, sizes_[0] - i0);
      t.n1 = std::min(tile1_, sizes_[1] - i1);
      for (int k = 0; k < num_operands_; ++k)
        t.ptr[k] = base[k] + i0 * operands_[k].strides[0] + i1 * operands_[k].strides[1];
      f(t, staging);
      if (++index[0] < across0) continue;
      index[0] = 0;
      if (++index[1] < across1) continue;
      index[1] = 0;
      for (int d = 2; d < ndim_; ++d) {
        for (int k = 0; k < num_operands_; ++k) base[k] += operands_[k].strides[d];
        if (++index[d] < sizes_[d]) break;
        for (int k = 0; k < num_operands_; ++k) base[k] -= sizes_[d] * operands_[k].strides[d];
        index[d] = 0;
      }
    }
  });
}

void Plan::run_tile(const Tile& tile, PointwiseFn* fn, int num_outputs, char* staging) const {
  const int64_t n0 = tile.n0, n1 = tile.n1, n = n0 * n1;
  // Per operand: where the kernel reads or writes row j (row pitch 0 for row-constant operands).
  char* at[kMaxOperands];
  int64_t pitch[kMaxOperands];
  bool staged[kMaxOperands];
  uint32_t scalars = 0;
  const bool by_rows = n1 > 1 && n0 >= kShortRow;
  // Whether everything can be one call over n contiguous elements, or rows are called one by one.
  for (int k = 0; k < num_operands_; ++k) {
    const Operand& o = operands_[k];
    const int64_t item = static_cast<int64_t>(item_size(o.dtype));
    const bool same = o.dtype == o.kernel_dtype;
    const bool row_contiguous = o.strides[0] == item || n0 == 1;
    const bool input = k >= num_outputs;
    staged[k] = false;
    if (input && o.strides[0] == 0 && (n1 == 1 || o.strides[1] == 0) && n > 1) {
      if (same) {
        at[k] = tile.ptr[k];
      } else {
        at[k] = staging;
        staging += 64;
        cast_kernel(o.dtype, o.kernel_dtype)(tile.ptr[k], at[k], 1);
      }
      pitch[k] = 0;
      scalars |= 1u << (k - num_outputs);
      continue;
    }
    if (input && same && by_rows && o.strides[0] == 0) {  // one value per row
      at[k] = tile.ptr[k];
      pitch[k] = o.strides[1];
      scalars |= 1u << (k - num_outputs);
      continue;
    }
    const bool whole = row_contiguous && (n1 == 1 || o.strides[1] == item * n0);
    if (same && (whole || (by_rows && row_contiguous))) {
      at[k] = tile.ptr[k];
      pitch[k] = by_rows ? o.strides[1] : 0;
      continue;
    }
    // Stage: gather to contiguous, then convert.
    const int64_t kernel_item = static_cast<int64_t>(item_size(o.kernel_dtype));
    at[k] = staging;
    staging += (n * kernel_item + 63) & ~int64_t{63};
    pitch[k] = kernel_item * n0;
    staged[k] = true;
    if (!input) continue;
    if (whole) {
      cast_kernel(o.dtype, o.kernel_dtype)(tile.ptr[k], at[k], n);
    } else {
      alignas(64) char gathered[kTileElements * 8];
      char* target = same ? at[k] : gathered;
      copy2d_kernel(static_cast<size_t>(item))(
          {tile.ptr[k], target, n0, n1, o.strides[0], o.strides[1], item, item * n0});
      if (!same) cast_kernel(o.dtype, o.kernel_dtype)(gathered, at[k], n);
    }
  }
  void* outs[kMaxOperands];
  const void* ins[kMaxOperands];
  const int64_t rows = by_rows ? n1 : 1, row_length = by_rows ? n0 : n;
  for (int64_t j = 0; j < rows; ++j) {
    for (int k = 0; k < num_outputs; ++k) outs[k] = at[k] + j * pitch[k];
    for (int k = num_outputs; k < num_operands_; ++k) ins[k - num_outputs] = at[k] + j * pitch[k];
    fn(outs, ins, scalars, row_length);
  }
  for (int k = 0; k < num_outputs; ++k) {
    if (!staged[k]) continue;
    const Operand& o = operands_[k];
    const int64_t item = static_cast<int64_t>(item_size(o.dtype));
    const char* from = at[k];
    alignas(64) char converted[kTileElements * 8];
    if (o.dtype != o.kernel_dtype) {
      const bool whole =
          (o.strides[0] == item || n0 == 1) && (n1 == 1 || o.strides[1] == item * n0);
      char* target = whole ? tile.ptr[k] : converted;
      cast_kernel(o.kernel_dtype, o.dtype)(at[k], target, n);
      if (whole) continue;
      from = converted;
    }
    copy2d_kernel(static_cast<size_t>(item))(
        {from, tile.ptr[k], n0, n1, item, item * n0, o.strides[0], o.strides[1]});
  }
}

void Plan::run(PointwiseFn* fn, int num_outputs) {
  order_and_merge();
  choose_tile(false);
  for_each_tile([&](const Tile& t, char* staging) { run_tile(t, fn, num_outputs, staging); });
}

void Plan::run_copy() {
  order_and_merge();
  choose_tile(true);
  Copy2dFn* copy = copy2d_kernel(item_size(operands_[0].dtype));
  const Operand &dst = operands_[0], &src = operands_[1];
  for_each_tile([&](const Tile& t, char*) {
    copy({t.ptr[1], t.ptr[0], t.n0, t.n1, src.strides[0], src.strides[1], dst.strides[0],
          dst.strides[1]});
  });
}

void Plan::run_cast() {
  order_and_merge();
  const Operand &dst = operands_[0], &src = operands_[1];
  CastFn* cast = cast_kernel(src.dtype, dst.dtype);
  const int64_t src_item = static_cast<int64_t>(item_size(src.dtype));
  const int64_t dst_item = static_cast<int64_t>(item_size(dst.dtype));
  if (src.strides[0] == src_item && dst.strides[0] == dst_item && sizes_[0] >= kShortRow / 2) {
    // Rows that lie together on both sides are converted where they are.
    tile0_ = std::min(sizes_[0], kGrain);
    tile1_ = std::min(sizes_[1], std::max<int64_t>(1, kGrain / tile0_));
    for_each_tile([&](const Tile& t, char*) {
      for (int64_t j = 0; j < t.n1; ++j)
        cast(t.ptr[1] + j * src.strides[1], t.ptr[0] + j * dst.strides[1], t.n0);
    });
    return;
  }
  choose_tile(false);
  Copy2dFn* gather = copy2d_kernel(static_cast<size_t>(src_item));
  Copy2dFn* scatter = copy2d_kernel(static_cast<size_t>(dst_item));
  for_each_tile([&](const Tile& t, char* staging) {
    const int64_t n = t.n0 * t.n1;
    auto whole = [&](const Operand& o, int64_t item) {
      return (o.strides[0] == item || t.n0 == 1) && (t.n1 == 1 || o.strides[1] == item * t.n0);
    };
    const char* from = t.ptr[1];
    if (!whole(src, src_item)) {
      gather({t.ptr[1], staging, t.n0, t.n1, src.strides[0], src.strides[1], src_item,
              src_item * t.n0});
      from = staging;
    }
    if (whole(dst, dst_item)) {
      cast(from, t.ptr[0], n);
      return;
    }
    char* converted = staging + kTileElements * 8;
    cast(from, converted, n);
    scatter({converted, t.ptr[0], t.n0, t.n1, dst_item, dst_item * t.n0, dst.strides[0],
             dst.strides[1]});
  });
}

}  // namespace pt
