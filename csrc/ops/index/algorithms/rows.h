// Reading and writing the elements that index tensors select, below ops.
//
// A selection is three nested levels: `before` (dimensions in front of the indexed ones), n index
// points, and rows of elements behind them, each row a run with one stride. The other side is a
// contiguous array [before, n, rows, run]. Writes to one place happen in the order of the index
// points, whatever the number of threads.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace pt {

// Where the elements of some dimensions lie: i * stride, or a table when strides are irregular.
struct Positions {
  int64_t count = 1;
  int64_t stride = 0;
  std::vector<int64_t> table;  // not for devices, which walk the merged dimensions
  Dims sizes, strides;
  int64_t operator[](int64_t i) const {
    return table.empty() ? i * stride : table[static_cast<size_t>(i)];
  }
};
Positions positions(IntList sizes, IntList strides);

// One index tensor: n contiguous int64 values into a dimension of `size` with `stride`.
struct IndexColumn {
  Tensor index;
  int64_t size = 0, stride = 0;
  int dim = 0;       // for messages
  bool wrap = true;  // negative indices count from the end
  int width = 1;     // dimensions it stands for: more for masks of dense dimensions
};

struct Selection {
  Positions before, rows;
  int64_t n = 1;
  int64_t run = 1, run_stride = 1;
  std::vector<IndexColumn> columns;
  bool runtime_error = false;  // what `fail` raises is a RuntimeError
  // Raises the op's own error for an index out of bounds; null: the usual IndexError.
  void (*fail)(const IndexColumn& column, int64_t index) = nullptr;

  int64_t row_elements() const { return rows.count * run; }
  int64_t elements() const { return before.count * n * row_elements(); }
  // The levels of `sizes` and `strides` split in front of and behind the indexed dimensions.
  void set_before(IntList sizes, IntList strides) { before = positions(sizes, strides); }
  void set_after(IntList sizes, IntList strides);
};

// Elements are `item` bytes; data points to the tensor's first element.
void read_selection(const Selection& s, const char* data, char* out, size_t item);
void write_selection(const Selection& s, char* data, const char* values, size_t item);
void fill_selection(const Selection& s, char* data, const void* element, size_t item);
// data[...] += values, in the order of the index points. bool: or.
void add_selection(const Selection& s, DType dtype, void* data, const void* values);
// The same with one value for all elements.
void add_selection_scalar(const Selection& s, DType dtype, void* data, const void* element);

}  // namespace pt
