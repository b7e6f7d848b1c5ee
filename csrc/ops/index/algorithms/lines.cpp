// gather and scatter in lines along the innermost dimensions that merge. See lines.h.
//
// With stride 0 along `dim`, the address of an element is base(p) + index[p] * stride(dim); so the
// index's dimensions merge wherever self's do, and both ops run over one line formula.
#include "ops/index/algorithms/lines.h"

#include <algorithm>

#include "core/parallel.h"
#include "cpu/index_args.h"
#include "cpu/kernel_table.h"
#include "ops/index/algorithms/device.h"
#include "ops/index/algorithms/item.h"

namespace pt {

namespace {

constexpr int64_t kWork = 1 << 15;
constexpr int64_t kColumns = 512;

struct Lines {
  int dim = 0;                 // messages
  int64_t size = 0, step = 0;  // of the indexed dimension
  int n = 0;
  int64_t sizes[kMaxDims], strides[kMaxDims];  // merged; strides of self, 0 along dim
  // Elements that can reach the same place lie within blocks of this many of the index: of
  // `safe` consecutive elements each.
  int64_t safe = 1;

  Lines(const Tensor& self, int d, const Tensor& index) : dim(d) {
    const bool scalar = self.dim() == 0;
    size = scalar ? 1 : self->sizes[d];
    step = scalar ? 1 : self->strides[d];
    for (int i = 0; i < index.dim(); ++i) {
      const int64_t count = index->sizes[i];
      const int64_t stride = i == d || scalar ? 0 : self->strides[i];
      if (i >= d) safe *= count;
      if (count == 1) continue;
      if (n > 0 && strides[n - 1] == stride * count) {
        sizes[n - 1] *= count;
        strides[n - 1] = stride;
      } else {
        sizes[n] = count;
        strides[n++] = stride;
      }
    }
    if (n == 0) {
      sizes[0] = 1;
      strides[0] = 0;
      n = 1;
    }
  }
  int64_t line() const { return sizes[n - 1]; }
  int64_t line_stride() const { return strides[n - 1]; }

  // Calls f(offset of self, first element of the index, count) for elements [begin, end).
  template <class F>
  void visit(int64_t begin, int64_t end, F&& f) const {
    int64_t at[kMaxDims], base = 0, rest = begin / line();
    for (int d = n - 2; d >= 0; --d) {
      at[d] = rest % sizes[d];
      rest /= sizes[d];
      base += at[d] * strides[d];
    }
    int64_t column = begin % line();
    while (begin < end) {
      const int64_t count = std::min(end - begin, line() - column);
      f(base + column * line_stride(), begin, count);
      begin += count;
      column = 0;
      for (int d = n - 2; d >= 0; --d) {
        base += strides[d];
        if (++at[d] < sizes[d]) break;
        base -= strides[d] * sizes[d];
        at[d] = 0;
      }
    }
  }

  void check(const int64_t* index, int64_t n_index) const {
    static const Kernel<IndexInRangeFn> in_range{"index_in_range"};
    if (in_range.get(DType::kInt64)(index, n_index, size)) [[likely]]
      return;
    for (int64_t i = 0; i < n_index; ++i)
      PT_CHECK(index[i] >= 0 && index[i] < size, "index ", index[i],
               " is out of bounds for dimension ", dim, " with size ", size);
  }
};

// Integers wrap on overflow, as in every other kernel.
template <class T, class F>
inline T wrapping(T a, T b, F f) {
  if constexpr (std::is_integral_v<T> && sizeof(T) >= 4) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(f(static_cast<U>(a), static_cast<U>(b)));
  } else {
    return static_cast<T>(f(a, b));
  }
}

template <ScatterReduce R, class T>
inline T combine(T old, T v) {
  if constexpr (R == ScatterReduce::kAdd) {
    if constexpr (std::is_same_v<T, bool>) {
      return old || v;
    } else {
      return wrapping(old, v, [](auto a, auto b) { return a + b; });
    }
  } else if constexpr (R == ScatterReduce::kMultiply) {
    if constexpr (std::is_same_v<T, bool>) {
      return old && v;
    } else {
      return wrapping(old, v, [](auto a, auto b) { return a * b; });
    }
  } else if constexpr (R == ScatterReduce::kMax) {
    return v != v || v > old ? v : old;  // NaN wins and stays
  } else if constexpr (R == ScatterReduce::kMin) {
    return v != v || v < old ? v : old;
  } else {
    return v;
  }
}

// Runs f(begin, end) over the index so that no two threads can reach the same place. Indices are
// checked piece by piece, shortly before f uses them.
template <class F>
void ordered(const Lines& lines, const int64_t* index, int64_t numel, F&& f) {
  constexpr int64_t kPiece = 2048;
  auto run = [&](int64_t begin, int64_t end) {
    for (; begin < end; begin += kPiece) {
      const int64_t count = std::min(kPiece, end - begin);
      lines.check(index + begin, count);
      f(begin, begin + count);
    }
  };
  const int64_t blocks = lines.safe ? numel / lines.safe : 0;
  if (blocks > 1) {
    parallel_for(0, blocks, std::max<int64_t>(1, kWork / lines.safe),
                 [&](int64_t b, int64_t e) { run(b * lines.safe, e * lines.safe); });
  } else {
    run(0, numel);
  }
}

PlaceOp place_op(ScatterReduce r) {
  static_assert(static_cast<int>(ScatterReduce::kMin) == static_cast<int>(PlaceOp::kMin));
  return static_cast<PlaceOp>(r);
}

template <ScatterReduce R, class T>
void scatter(const Lines& lines, T* self, const int64_t* index, int64_t numel, const T* src,
             bool one_value) {
  const int64_t step = lines.step, stride = lines.line_stride();
  auto line = [=](int64_t base, int64_t first, int64_t count) {
    T* to = self + base;
    const int64_t* at = index + first;
    if (stride == 0 && step == 1 && !one_value) {  // by far the most: the last dimension
      const T* from = src + first;
      for (int64_t i = 0; i < count; ++i) to[at[i]] = combine<R>(to[at[i]], from[i]);
    } else if (one_value) {
      const T v = *src;
      for (int64_t i = 0; i < count; ++i) {
        T& place = to[at[i] * step + i * stride];
        place = combine<R>(place, v);
      }
    } else {
      const T* from = src + first;
      for (int64_t i = 0; i < count; ++i) {
        T& place = to[at[i] * step + i * stride];
        place = combine<R>(place, from[i]);
      }
    }
  };
  // Along the first dimension with one long line per position: columns never meet.
  if (lines.safe == numel && lines.n == 2 && lines.strides[0] == 0 &&
      lines.line() >= 2 * kColumns) {
    parallel_for(0, numel, kWork, [&](int64_t b, int64_t e) { lines.check(index + b, e - b); });
    parallel_for(0, lines.line(), kColumns, [&](int64_t c0, int64_t c1) {
      for (int64_t j = 0; j < lines.sizes[0]; ++j)
        line(c0 * stride, j * lines.line() + c0, c1 - c0);
    });
    return;
  }
  ordered(lines, index, numel, [&](int64_t b, int64_t e) { lines.visit(b, e, line); });
}

}  // namespace

void gather_lines(const Tensor& self, int dim, const Tensor& index, const Tensor& out) {
  if (index.numel() == 0) return;
  if (call_on_device) return device::gather_lines(self, dim, index, out);
  static const Kernel<GatherLineFn> kernel{"gather_line"};
  const int64_t item = static_cast<int64_t>(self.item_size());
  const auto gather = kernel.get(slot_of_item(self.item_size()));
  const Lines lines(self, dim, index);
  const int64_t* at = index.data<int64_t>();
  const char* src = static_cast<const char*>(self.raw());
  char* dst = static_cast<char*>(out.raw());
  parallel_for(0, index.numel(), kWork, [&](int64_t b, int64_t e) {
    lines.visit(b, e, [&](int64_t base, int64_t first, int64_t count) {
      if (!gather({src + base * item, at + first, dst + first * item, count, lines.size, lines.step,
                   lines.line_stride()}))
        lines.check(at + first, count);
    });
  });
}

void scatter_lines(const Tensor& self, int dim, const Tensor& index, const Tensor& src,
                   ScatterReduce reduce) {
  const int64_t numel = index.numel();
  if (numel == 0) return;
  if (call_on_device) return device::scatter_lines(self, dim, index, src, place_op(reduce));
  const Lines lines(self, dim, index);
  const int64_t* at = index.data<int64_t>();
  const bool one_value = src.numel() == 1;
  if (reduce == ScatterReduce::kAssign) {
    visit_item(self.item_size(), [&](auto v) {
      using T = decltype(v);
      scatter<ScatterReduce::kAssign, T>(lines, static_cast<T*>(self.raw()), at, numel,
                                         static_cast<const T*>(src.raw()), one_value);
    });
    return;
  }
  visit_dtype(self.dtype(), [&](auto v) {
    using T = decltype(v);
    auto run = [&]<ScatterReduce R>() {
      scatter<R, T>(lines, self.data<T>(), at, numel, src.data<T>(), one_value);
    };
    switch (reduce) {
      case ScatterReduce::kAdd:
        return run.template operator()<ScatterReduce::kAdd>();
      case ScatterReduce::kMultiply:
        return run.template operator()<ScatterReduce::kMultiply>();
      case ScatterReduce::kMax:
        return run.template operator()<ScatterReduce::kMax>();
      default:
        return run.template operator()<ScatterReduce::kMin>();
    }
  });
}

}  // namespace pt
