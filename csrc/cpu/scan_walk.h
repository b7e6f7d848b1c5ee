// What a scan (scan.cpp) gives to the walk over its lines (scan_walk.cpp), which is compiled once
// for all scans. Included by those ISA files only.
#pragma once

#include "cpu/kernel_table.h"
#include "cpu/scan_args.h"

namespace pt::PT_ISA::scan {

inline constexpr int64_t kBlock = 512;  // elements in a buffer

inline int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The states of `width` lines: their First values, and from byte 8 * width on their Second values.
constexpr int64_t kStateBytes = 16;

struct ScanOps {
  int64_t in_bytes, out_bytes, lanes;
  bool index, exact;  // exact: cutting a line changes no bit of the result
  void (*start)(char* state, int64_t width);
  void (*append)(char* state, const char* later, int64_t width);
  void (*line)(const void* in, int64_t n, int64_t first, char* state, void* out, int64_t* index);
  void (*row)(const void* in, int64_t width, int64_t k, char* state, void* out, int64_t* index);
};

void walk(const ScanOps& ops, const ScanArgs& args);

}  // namespace pt::PT_ISA::scan
