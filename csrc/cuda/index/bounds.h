// What a kernel tells the host of an index or a number out of bounds. The report lies in memory of
// the host that devices can write: the host looks at it when it has waited for work, and raises
// then.
#pragma once

#include "cuda/args/check_args.h"
#include "cuda/pt_cuda.h"

namespace pt::cuda {

struct BoundsReport {
  int raised;
  OutOfBounds what;
  int runtime_error;  // a RuntimeError instead of an IndexError
  int64_t index, size;
  int dim;
};

// As kernels take it: kernel arguments of pointer type must point to the device's memory.
struct Bounds {
  BoundsReport* report;  // of the process; null when the memory cannot be had
};
Bounds bounds_report();

PT_DEVICE void report_bounds(Bounds bounds, int64_t index, int64_t size, int dim,
                             bool runtime_error) {
  BoundsReport* report = bounds.report;
  if (!report || report->raised) return;
  report->index = index;
  report->size = size;
  report->dim = dim;
  report->runtime_error = runtime_error;
  report->what = OutOfBounds::kIndex;
  report->raised = 1;
}
PT_DEVICE void report_number(Bounds bounds, OutOfBounds what) {
  BoundsReport* report = bounds.report;
  if (!report || report->raised) return;
  report->runtime_error = 1;
  report->what = what;
  report->raised = 1;
}

}  // namespace pt::cuda
