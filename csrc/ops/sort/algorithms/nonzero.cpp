// Positions of nonzero elements in two passes over fixed chunks: count, then write where the
// counts before it say.
#include <algorithm>

#include "core/parallel.h"
#include "ops/sort/algorithms/sort_key.h"
#include "ops/sort/algorithms/sorting.h"

namespace pt {
namespace {

constexpr int64_t kChunk = 1 << 15;
constexpr int64_t kBatch = 512;  // positions compacted at a time

template <class T>
bool is_nonzero(T v) {
  using Bits = sorting::UnsignedOf<sizeof(T)>;
  if constexpr (is_half(dtype_of<T>)) {
    return (std::bit_cast<Bits>(v) & 0x7fff) != 0;
  } else {
    return v != T(0);
  }
}

// Writes the coordinates of nonzero elements in order.
class CoordinateWriter {
 public:
  CoordinateWriter(const int64_t* sizes, int dims, int64_t* out, int64_t item_stride,
                   int64_t dim_stride)
      : sizes_(sizes), dims_(dims), out_(out), item_(item_stride), dim_(dim_stride) {}

  // `columns` in the row of the last dimension that starts at linear position `row_start`.
  void write(int64_t row_start, const int64_t* columns, int64_t count) {
    if (dims_ > 0) {
      int64_t* to = out_ + (dims_ - 1) * dim_;
      for (int64_t k = 0; k < count; ++k) to[k * item_] = columns[k];
      int64_t rest = row_start / std::max<int64_t>(sizes_[dims_ - 1], 1);
      for (int d = dims_ - 2; d >= 0; --d) {
        const int64_t coordinate = rest % sizes_[d];
        rest /= sizes_[d];
        to = out_ + d * dim_;
        for (int64_t k = 0; k < count; ++k) to[k * item_] = coordinate;
      }
    }
    out_ += count * item_;
  }

 private:
  const int64_t* sizes_;
  int dims_;
  int64_t* out_;
  int64_t item_, dim_;
};

}  // namespace

NonzeroPlan::NonzeroPlan(DType dtype, const void* source, int64_t n)
    : dtype_(dtype), source_(source), n_(n) {
  const int64_t chunks = (n + kChunk - 1) / kChunk;
  offsets_.assign(static_cast<size_t>(chunks + 1), 0);
  visit_dtype(dtype, [&]<class T>(T) {
    const T* data = static_cast<const T*>(source);
    parallel_for(0, n, kChunk, [&](int64_t begin, int64_t end) {
      int32_t count = 0;
      for (int64_t i = begin; i < end; ++i) count += is_nonzero(data[i]);
      offsets_[static_cast<size_t>(begin / kChunk + 1)] = count;
    });
  });
  for (size_t c = 1; c < offsets_.size(); ++c) offsets_[c] += offsets_[c - 1];
}

void NonzeroPlan::write(const int64_t* sizes, int dims, int64_t* out, int64_t item_stride,
                        int64_t dim_stride) const {
  const int64_t row = dims > 0 ? std::max<int64_t>(sizes[dims - 1], 1) : 1;
  visit_dtype(dtype_, [&]<class T>(T) {
    const T* data = static_cast<const T*>(source_);
    parallel_for(0, n_, kChunk, [&](int64_t begin, int64_t end) {
      const int64_t before = offsets_[static_cast<size_t>(begin / kChunk)];
      CoordinateWriter writer(sizes, dims, out + before * item_stride, item_stride, dim_stride);
      int64_t columns[kBatch];
      for (int64_t i = begin; i < end;) {
        const int64_t row_start = i - i % row;
        const int64_t stop = std::min({end, row_start + row, i + kBatch});
        int64_t count = 0;
        for (; i < stop; ++i) {
          columns[count] = i - row_start;
          count += is_nonzero(data[i]);
        }
        if (count > 0) writer.write(row_start, columns, count);
      }
    });
  });
}

}  // namespace pt
