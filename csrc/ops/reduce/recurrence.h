// y[k] = terms[k] + factors[k] * y[k - 1] along lines, and the same from the other end.
// Computed in double. Used by the op of that name only.
#pragma once

#include "core/dtype.h"
#include "ops/reduce/lines.h"

namespace pt {

// All three row-major, of a floating dtype and the same shape.
void run_recurrence(DType dtype, const void* factors, const void* terms, void* out,
                    const LineShape& shape, bool reverse);

}  // namespace pt
