// Counting calls of the table's kernels: coverage.cpp. Used by runtime/api.cu in emulated builds.
#pragma once

#include "cpu/kernel_table.h"

namespace pt::emu {

// The list itself, or one of stubs that count.
const KernelList* counted(const KernelList* kernels);

}  // namespace pt::emu
