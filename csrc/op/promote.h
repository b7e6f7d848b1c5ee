// Type promotion: the dtype in which operands of different dtypes meet.
#pragma once

#include <span>

#include "op/value.h"

namespace pt {

DType promote_types(DType a, DType b);
// PyTorch's rule for operands: dimensions outrank 0-dim tensors, which outrank Python numbers,
// as long as the lower category is not of a higher kind (bool < integer < floating).
DType result_type(std::span<const Value> operands);
// May a result of dtype `from` be stored in a tensor of dtype `to`? (floating -> integer: no)
bool can_cast(DType from, DType to);

}  // namespace pt
