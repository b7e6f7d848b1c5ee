// Reading and writing the class of each line, below ops.
#pragma once

#include "core/tensor.h"
#include "cpu/scan_args.h"

namespace pt {

// Lines [outer, n, inner] and the class of each of outer x inner lines; `ignored` ones are skipped.
struct Picks {
  int64_t outer = 1, inner = 1;
  LineStrides strides;
  const int64_t* classes = nullptr;
  int64_t ignored = -1;
  const double* weight = nullptr;  // a factor for each class, or null
};

// out[line] = in[class of line] * weight, 0 for ignored lines.
void pick_classes(const Picks& p, DType dtype, const void* in, double* out);
// out[class of line] = grad of the line * weight * scale; one grad or one for each line.
void place_classes(const Picks& p, DType dtype, const void* grad, bool single, double scale,
                   void* out);

}  // namespace pt
