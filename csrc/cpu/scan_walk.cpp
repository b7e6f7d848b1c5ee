// The walk of a scan over its lines: whole rows of states where lines lie side by side, one line
// after the other elsewhere, through small buffers where they are not contiguous. Few long lines
// are cut into pieces of fixed size: their totals first, then every piece from its own start.
#include "cpu/scan_walk.h"

#include <new>

#include "core/parallel.h"

namespace pt::PT_ISA::scan {
namespace {

constexpr int64_t kUnit = 32768;  // elements worth handing to a thread
constexpr int64_t kFewUnits = 8;  // with fewer units than this, lines are cut
constexpr int64_t kMaxPieces = 256;
constexpr int64_t kWidth = 256;  // lines side by side

template <class T>
void copy_items(const char* from, int64_t from_stride, char* to, int64_t to_stride, int64_t n) {
  const T* p = reinterpret_cast<const T*>(from);
  T* q = reinterpret_cast<T*>(to);
  for (int64_t i = 0; i < n; ++i) q[i * to_stride] = p[i * from_stride];
}

void copy_items(int64_t bytes, const char* from, int64_t from_stride, char* to, int64_t to_stride,
                int64_t n) {
  switch (bytes) {
    case 1:
      return copy_items<uint8_t>(from, from_stride, to, to_stride, n);
    case 2:
      return copy_items<uint16_t>(from, from_stride, to, to_stride, n);
    case 4:
      return copy_items<uint32_t>(from, from_stride, to, to_stride, n);
    default:
      return copy_items<uint64_t>(from, from_stride, to, to_stride, n);
  }
}

class Walk {
 public:
  Walk(const ScanOps& ops, const ScanArgs& args)
      : ops_(ops),
        a_(args),
        in_(static_cast<const char*>(args.in)),
        out_(static_cast<char*>(args.out)),
        index_(static_cast<int64_t*>(args.out2)) {}

  void run() const {
    if (a_.n * a_.outer * a_.inner == 0) return;
    const bool side_by_side = a_.in_stride.inner == 1 && a_.out_stride.inner == 1 &&
                              a_.inner >= ops_.lanes / 2 && a_.inner > 1;
    if (side_by_side) {
      const int64_t tiles = ceil_div(a_.inner, kWidth);
      over(a_.outer * tiles, min64(kWidth, a_.inner),
           [&](int64_t u, int64_t first, int64_t n, char* state, bool keep) {
             rows(u / tiles, u % tiles * kWidth, first, n, state, keep);
           });
    } else {
      over(a_.outer * a_.inner, 1,
           [&](int64_t u, int64_t first, int64_t n, char* state, bool keep) {
             line(u / a_.inner, u % a_.inner, first, n, state, keep);
           });
    }
  }

 private:
  const ScanOps& ops_;
  const ScanArgs& a_;
  const char* in_;
  char* out_;
  int64_t* index_;

  // Calls scan(unit, first, n, state, keep) for all units, of `width` lines each; keep: write.
  // The last unit of a row may be narrower: its states are then those of its own width.
  template <class F>
  void over(int64_t units, int64_t width, F scan) const {
    const int64_t cost = a_.n * width;
    const bool alone = ops_.exact && get_num_threads() == 1;  // cutting only costs time
    if (units >= kFewUnits || cost < 2 * kUnit || alone) {
      const int64_t grain = max64(1, kUnit / max64(1, cost));
      parallel_for(0, units, grain, [&](int64_t begin, int64_t end) {
        alignas(64) char state[kWidth * kStateBytes];
        for (int64_t u = begin; u < end; ++u) {
          ops_.start(state, unit_width(u, width));
          scan(u, 0, a_.n, state, true);
        }
      });
      return;
    }
    const int64_t length = max64(max64(1, kUnit / width), ceil_div(a_.n, kMaxPieces));
    const int64_t pieces = ceil_div(a_.n, length), bytes = width * kStateBytes;
    char* states = static_cast<char*>(::operator new((units * pieces + 2) * bytes));
    const auto each = [&](bool keep) {
      parallel_for(0, units * pieces, 1, [&](int64_t begin, int64_t end) {
        for (int64_t w = begin; w < end; ++w) {
          const int64_t first = w % pieces * length;
          char* state = states + w * bytes;
          if (!keep) ops_.start(state, unit_width(w / pieces, width));
          scan(w / pieces, first, min64(length, a_.n - first), state, keep);
        }
      });
    };
    each(false);
    // Each piece's total becomes the state before it.
    char* before = states + units * pieces * bytes;
    char* total = before + bytes;
    for (int64_t u = 0; u < units; ++u) {
      const int64_t w = unit_width(u, width);
      ops_.start(before, w);
      for (int64_t i = 0; i < pieces; ++i) {
        char* here = states + (u * pieces + i) * bytes;
        __builtin_memcpy(total, here, bytes);
        __builtin_memcpy(here, before, bytes);
        ops_.append(before, total, w);
      }
    }
    each(true);
    ::operator delete(states);
  }

  int64_t unit_width(int64_t u, int64_t width) const {
    return width == 1 ? 1 : min64(width, a_.inner - u % ceil_div(a_.inner, kWidth) * kWidth);
  }

  void rows(int64_t o, int64_t c, int64_t first, int64_t n, char* state, bool keep) const {
    const int64_t width = min64(kWidth, a_.inner - c);
    const char* in = in_ + (o * a_.in_stride.outer + c) * ops_.in_bytes;
    const int64_t at = o * a_.out_stride.outer + c;
    for (int64_t k = first; k < first + n; ++k) {
      const int64_t to = at + k * a_.out_stride.n;
      ops_.row(in + k * a_.in_stride.n * ops_.in_bytes, width, k, state,
               keep ? out_ + to * ops_.out_bytes : nullptr,
               ops_.index && keep ? index_ + to : nullptr);
    }
  }

  void line(int64_t o, int64_t i, int64_t first, int64_t n, char* state, bool keep) const {
    const LineStrides& is = a_.in_stride;
    const LineStrides& os = a_.out_stride;
    const char* in = in_ + (o * is.outer + i * is.inner + first * is.n) * ops_.in_bytes;
    const int64_t at = o * os.outer + i * os.inner + first * os.n;
    char* out = out_ + at * ops_.out_bytes;
    if (is.n == 1 && (os.n == 1 || !keep)) {
      ops_.line(in, n, first, state, keep ? out : nullptr,
                ops_.index && keep ? index_ + at : nullptr);
      return;
    }
    alignas(64) char from[kBlock * 8], to[kBlock * 8];
    int64_t places[kBlock];
    for (int64_t k = 0; k < n; k += kBlock) {
      const int64_t m = min64(kBlock, n - k);
      copy_items(ops_.in_bytes, in + k * is.n * ops_.in_bytes, is.n, from, 1, m);
      ops_.line(from, m, first + k, state, keep ? to : nullptr, places);
      if (!keep) continue;
      copy_items(ops_.out_bytes, to, 1, out + k * os.n * ops_.out_bytes, os.n, m);
      if (!ops_.index) continue;
      for (int64_t j = 0; j < m; ++j) index_[at + (k + j) * os.n] = places[j];
    }
  }
};

}  // namespace

void walk(const ScanOps& ops, const ScanArgs& args) { Walk(ops, args).run(); }

}  // namespace pt::PT_ISA::scan
