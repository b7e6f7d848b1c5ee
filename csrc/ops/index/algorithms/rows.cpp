// Selections of rows. See rows.h.
//
// Offsets of index points are computed in batches that stay in the L1 cache; when they are needed
// more than once (several positions in front of the indexed dimensions, or rows cut into columns
// for several threads), for all points beforehand.
#include "ops/index/algorithms/rows.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/parallel.h"
#include "cpu/index_args.h"
#include "cpu/kernel_table.h"
#include "op/copy.h"
#include "ops/index/algorithms/device.h"
#include "ops/index/algorithms/item.h"

namespace pt {

namespace {

constexpr int64_t kBatch = 512;     // index points at a time
constexpr int64_t kWork = 1 << 15;  // elements per unit of parallel work
constexpr int64_t kColumns = 512;   // elements of a row per unit when rows are cut

[[noreturn]] void raise_out_of_bounds(const Selection& s, int64_t begin, int64_t end) {
  for (const IndexColumn& c : s.columns) {
    const int64_t* index = c.index.data<int64_t>();
    for (int64_t i = begin; i < end; ++i) {
      if (index[i] >= (c.wrap ? -c.size : 0) && index[i] < c.size) continue;
      if (s.fail) s.fail(c, index[i]);
      PT_CHECK_INDEX(c.size != 0, "index is out of bounds for dimension with size 0");
      raise(ErrorKind::kIndex, "index ", index[i], " is out of bounds for dimension ", c.dim,
            " with size ", c.size);
    }
  }
  raise(ErrorKind::kIndex, "index out of bounds");
}

// Offsets of the index points.
class Offsets {
 public:
  Offsets(const Selection& s, bool reused) : s_(s) {
    if (!reused || s.n <= kBatch / 4) return;
    all_.reset(new int64_t[static_cast<size_t>(s.n)]);
    parallel_for(0, s.n, kWork, [&](int64_t b, int64_t e) { compute(b, e, all_.get() + b); });
  }
  // Offsets of points [begin, end), at most kBatch of them; `buffer` has room for kBatch.
  const int64_t* get(int64_t begin, int64_t end, int64_t* buffer) const {
    if (all_) return all_.get() + begin;
    compute(begin, end, buffer);
    return buffer;
  }

 private:
  void compute(int64_t begin, int64_t end, int64_t* out) const {
    static const Kernel<bool(const IndexOffsets&)> kernel{"index_offsets"};
    if (s_.columns.empty()) {
      std::fill(out, out + (end - begin), 0);
      return;
    }
    const int64_t* index[kMaxIndices];
    int64_t size[kMaxIndices], wrap[kMaxIndices], stride[kMaxIndices];
    int count = 0;
    for (const IndexColumn& c : s_.columns) {
      index[count] = c.index.data<int64_t>() + begin;
      size[count] = c.size;
      wrap[count] = c.wrap ? c.size : 0;
      stride[count++] = c.stride;
    }
    if (!kernel.get(DType::kInt64)({index, size, wrap, stride, count, end - begin, out}))
      raise_out_of_bounds(s_, begin, end);
  }

  const Selection& s_;
  std::unique_ptr<int64_t[]> all_;
};

// Calls f(row offset within the tensor, element offset in the other side, count) for the part
// [c0, c1) of each run.
template <class F>
inline void each_row(const Selection& s, int64_t at, int64_t other, int64_t c0, int64_t c1, F&& f) {
  for (int64_t r = 0; r < s.rows.count; ++r)
    f(at + s.rows[r] + c0 * s.run_stride, other + r * s.run + c0, c1 - c0);
}

// Visits all index points in an order that is fixed for each place of the tensor: cut over
// `before` or over columns of the rows, never over index points.
template <class F>
void ordered(const Selection& s, F&& row) {
  const int64_t width = s.row_elements(), per_before = s.n * width;
  if (per_before == 0 || s.before.count == 0) return;
  const bool cut_rows = s.before.count == 1 && s.run >= 2 * kColumns && per_before > kWork;
  const Offsets offsets(s, s.before.count > 1 || cut_rows);
  auto part = [&](int64_t b, int64_t c0, int64_t c1) {
    int64_t buffer[kBatch];
    const int64_t base = s.before[b];
    for (int64_t i = 0; i < s.n; i += kBatch) {
      const int64_t end = std::min(s.n, i + kBatch);
      const int64_t* off = offsets.get(i, end, buffer);
      if (width == 1) {
        for (int64_t k = i; k < end; ++k) row(base + off[k - i], b * s.n + k, 1);
        continue;
      }
      for (int64_t k = i; k < end; ++k)
        each_row(s, base + off[k - i], (b * s.n + k) * width, c0, c1, row);
    }
  };
  if (cut_rows) {
    parallel_for(0, s.run, kColumns, [&](int64_t c0, int64_t c1) { part(0, c0, c1); });
  } else {
    parallel_for(0, s.before.count, std::max<int64_t>(1, kWork / per_before),
                 [&](int64_t b0, int64_t b1) {
                   for (int64_t b = b0; b < b1; ++b) part(b, 0, s.run);
                 });
  }
}

template <class T>
inline T sum_of(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    return a || b;
  } else {
    return static_cast<T>(a + b);
  }
}

}  // namespace

Positions positions(IntList sizes, IntList strides) {
  Positions p;
  Dims merged_sizes, merged_strides;
  for (size_t i = 0; i < sizes.size(); ++i) {
    p.count *= sizes[i];
    if (sizes[i] == 1) continue;
    const int last = merged_sizes.size() - 1;
    if (last >= 0 && merged_strides[last] == strides[i] * sizes[i]) {
      merged_sizes[last] *= sizes[i];
      merged_strides[last] = strides[i];
    } else {
      merged_sizes.push_back(sizes[i]);
      merged_strides.push_back(strides[i]);
    }
  }
  p.sizes = merged_sizes;
  p.strides = merged_strides;
  if (p.count == 0 || call_on_device) return p;
  const int n = merged_sizes.size();
  if (n <= 1) {
    p.stride = n ? merged_strides[0] : 0;
    return p;
  }
  p.table.resize(static_cast<size_t>(p.count));
  Dims at(n, 0);
  int64_t offset = 0;
  for (int64_t& entry : p.table) {
    entry = offset;
    for (int d = n - 1; d >= 0; --d) {
      offset += merged_strides[d];
      if (++at[d] < merged_sizes[d]) break;
      offset -= merged_strides[d] * merged_sizes[d];
      at[d] = 0;
    }
  }
  return p;
}

void Selection::set_after(IntList sizes, IntList strides) {
  // The run: trailing dimensions that merge into one.
  size_t last = sizes.size();
  run = 1;
  run_stride = 1;
  while (last > 0) {
    const int64_t size = sizes[last - 1], step = strides[last - 1];
    if (size != 1) {
      if (run != 1 && step != run * run_stride) break;
      if (run == 1) run_stride = step;
      run *= size;
    }
    --last;
  }
  rows = positions(sizes.subspan(0, last), strides.subspan(0, last));
}

void read_selection(const Selection& s, const char* data, char* out, size_t item) {
  if (call_on_device) return device::read_selection(s, data, out, item);
  const int64_t width = s.row_elements(), points = s.before.count * s.n;
  if (points * width == 0) return;
  static const Kernel<void(const void*, const int64_t*, void*, int64_t)> gather{"index_gather"};
  const auto gather_fn = gather.get(slot_of_item(item));
  const Offsets offsets(s, s.before.count > 1);
  // Single elements named by one vector of plain indices: checked and read in one pass.
  if (width == 1 && s.before.count == 1 && s.columns.size() == 1 && !s.columns[0].wrap) {
    static const Kernel<GatherLineFn> line{"gather_line"};
    const auto line_fn = line.get(slot_of_item(item));
    const IndexColumn& c = s.columns[0];
    const char* from = data + s.before[0] * static_cast<int64_t>(item);
    parallel_for(0, s.n, kWork, [&](int64_t b, int64_t e) {
      if (!line_fn({from, c.index.data<int64_t>() + b, out + b * static_cast<int64_t>(item), e - b,
                    c.size, c.stride, 0}))
        raise_out_of_bounds(s, b, e);
    });
    return;
  }
  visit_item(item, [&](auto v) {
    using T = decltype(v);
    const T* src = reinterpret_cast<const T*>(data);
    T* dst = reinterpret_cast<T*>(out);
    parallel_for(0, points, std::max<int64_t>(1, kWork / width), [&](int64_t p0, int64_t p1) {
      int64_t buffer[kBatch];
      while (p0 < p1) {
        const int64_t b = p0 / s.n, i = p0 % s.n;
        const int64_t count = std::min({p1 - p0, s.n - i, kBatch});
        const int64_t* off = offsets.get(i, i + count, buffer);
        const T* from = src + s.before[b];
        T* to = dst + p0 * width;
        if (width == 1) {
          gather_fn(from, off, to, count);
        } else if (s.run_stride == 1) {
          for (int64_t k = 0; k < count; ++k)
            for (int64_t r = 0; r < s.rows.count; ++r, to += s.run)
              copy_bytes(to, from + off[k] + s.rows[r], s.run * static_cast<int64_t>(sizeof(T)));
        } else {
          for (int64_t k = 0; k < count; ++k)
            for (int64_t r = 0; r < s.rows.count; ++r, to += s.run) {
              const T* row = from + off[k] + s.rows[r];
              for (int64_t j = 0; j < s.run; ++j) to[j] = row[j * s.run_stride];
            }
        }
        p0 += count;
      }
    });
  });
}

void write_selection(const Selection& s, char* data, const char* values, size_t item) {
  if (call_on_device)
    return device::write_selection(s, slot_of_item(item), data, {values}, PlaceOp::kAssign);
  visit_item(item, [&](auto v) {
    using T = decltype(v);
    T* to = reinterpret_cast<T*>(data);
    const T* from = reinterpret_cast<const T*>(values);
    const int64_t step = s.run_stride;
    ordered(s, [=](int64_t at, int64_t other, int64_t n) {
      if (step == 1 && n > 1) {
        copy_bytes(to + at, from + other, n * static_cast<int64_t>(sizeof(T)));
      } else {
        for (int64_t j = 0; j < n; ++j) to[at + j * step] = from[other + j];
      }
    });
  });
}

void fill_selection(const Selection& s, char* data, const void* element, size_t item) {
  if (call_on_device)
    return device::write_selection(s, slot_of_item(item), data, {nullptr, true, element},
                                   PlaceOp::kAssign);
  visit_item(item, [&](auto v) {
    using T = decltype(v);
    T* to = reinterpret_cast<T*>(data);
    T value;
    std::memcpy(&value, element, sizeof(T));
    const int64_t step = s.run_stride;
    ordered(s, [=](int64_t at, int64_t, int64_t n) {
      for (int64_t j = 0; j < n; ++j) to[at + j * step] = value;
    });
  });
}

void add_selection(const Selection& s, DType dtype, void* data, const void* values) {
  if (call_on_device) return device::write_selection(s, dtype, data, {values}, PlaceOp::kAdd);
  visit_dtype(dtype, [&](auto v) {
    using T = decltype(v);
    T* to = static_cast<T*>(data);
    const T* from = static_cast<const T*>(values);
    const int64_t step = s.run_stride;
    ordered(s, [=](int64_t at, int64_t other, int64_t n) {
      T* __restrict__ row = to + at;
      const T* __restrict__ add = from + other;
      if (step == 1) {
        for (int64_t j = 0; j < n; ++j) row[j] = sum_of(row[j], add[j]);
      } else {
        for (int64_t j = 0; j < n; ++j) row[j * step] = sum_of(row[j * step], add[j]);
      }
    });
  });
}

void add_selection_scalar(const Selection& s, DType dtype, void* data, const void* element) {
  visit_dtype(dtype, [&](auto v) {
    using T = decltype(v);
    T* to = static_cast<T*>(data);
    const T value = *static_cast<const T*>(element);
    const int64_t step = s.run_stride;
    ordered(s, [=](int64_t at, int64_t, int64_t n) {
      for (int64_t j = 0; j < n; ++j) to[at + j * step] = sum_of(to[at + j * step], value);
    });
  });
}

}  // namespace pt
