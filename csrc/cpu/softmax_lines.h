// Ways to walk over the lines of a softmax, beside those of lines.h. Shared by softmax.cpp and
// softmax_backward.cpp.
#pragma once

#include <new>

#include "cpu/kernel_table.h"
#include "cpu/lines.h"
#include "cpu/softmax_args.h"

namespace pt::PT_ISA::softmax {

using namespace lines;

// ---- the walk over lines: whole, or in blocks ----

// Line is a kernel for one line: short(o, i); and for long ones Part (trivial), part(o, i, first,
// n) -> Part, Part::append, finish(o, i, first, n, Part).
template <class Line>
void walk_lines(const Line& line, int64_t outer, int64_t n, int64_t inner) {
  const int64_t lines = outer * inner;
  if (n <= kBlock) {
    parallel_for(0, lines, max64(1, kUnit / max64(1, n)), [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; ++u) line.whole(u / inner, u % inner);
    });
    return;
  }
  using Part = typename Line::Part;
  const int64_t blocks = ceil_div(n, kBlock), group = kUnit / kBlock;
  const int64_t at_once = max64(1, min64(lines, 1024 / blocks));  // bounds the room for parts
  Part* parts = static_cast<Part*>(::operator new(at_once * blocks * sizeof(Part)));
  for (int64_t u0 = 0; u0 < lines; u0 += at_once) {
    const int64_t count = min64(at_once, lines - u0);
    parallel_for(0, count * blocks, group, [&](int64_t begin, int64_t end) {
      for (int64_t w = begin; w < end; ++w) {
        const int64_t u = u0 + w / blocks, first = w % blocks * kBlock;
        parts[w] = line.part(u / inner, u % inner, first, min64(kBlock, n - first));
      }
    });
    for (int64_t w = 0; w < count; ++w) {
      Part& total = parts[w * blocks];
      for (int64_t b = 1; b < blocks; ++b) line.append(total, parts[w * blocks + b]);
    }
    parallel_for(0, count * blocks, group, [&](int64_t begin, int64_t end) {
      for (int64_t w = begin; w < end; ++w) {
        const int64_t u = u0 + w / blocks, first = w % blocks * kBlock;
        line.finish(u / inner, u % inner, first, min64(kBlock, n - first),
                    parts[w / blocks * blocks]);
      }
    });
  }
  ::operator delete(parts);
}

#define PT_SOFTMAX(f, log)   \
  {nullptr,                  \
   nullptr,                  \
   nullptr,                  \
   nullptr,                  \
   nullptr,                  \
   nullptr,                  \
   PT_FN(&f<Half, log>),     \
   PT_FN(&f<BFloat16, log>), \
   PT_FN(&f<float, log>),    \
   PT_FN(&f<double, log>)}

}  // namespace pt::PT_ISA::softmax
