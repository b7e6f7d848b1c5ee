// What a convolution does to its sums before they leave the registers or the L1 cache: scale, bias,
// residual and limits of ConvArgs, on the rows of gemm/finish.h.
#pragma once

#include "cpu/conv_args.h"
#include "cpu/gemm/finish.h"

namespace pt::PT_ISA::conv {

using gemm::finish_rows;
using gemm::RowFinish;

// What follows the sums of the channels from `channel` on, whose results begin at `element`.
template <class T>
RowFinish<T> finish_of(const ConvArgs& p, int64_t channel, int64_t element) {
  RowFinish<T> f;
  if (p.scale) f.scale = static_cast<const T*>(p.scale) + channel;
  if (p.bias) f.bias = static_cast<const T*>(p.bias) + channel;
  if (p.residual) f.residual = static_cast<const T*>(p.residual) + element;
  f.least = static_cast<T>(p.least), f.most = static_cast<T>(p.most);
  return f;
}

}  // namespace pt::PT_ISA::conv
