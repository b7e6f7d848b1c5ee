// The walk of every reduction over its three levels; the arithmetic comes in as ReduceOps.
//
// Ways: lines (the reduced elements are neighbours: vector accumulators along them), columns
// (the outputs are neighbours: rows are added to a row of accumulators), folded (few columns side
// by side: several rows are taken as one), gathered (anything else, through a small buffer).
// Units of work and the order of merging follow from sizes alone, never from the number of
// threads, so results do not depend on it.
#include "cpu/reduce_frame.h"

#include <new>

#include "core/parallel.h"

namespace pt::PT_ISA {
namespace {

constexpr int64_t kUnit = 32768;     // elements worth handing to a thread
constexpr int64_t kFewUnits = 8;     // with fewer units than this, n itself is split
constexpr int64_t kMaxPieces = 256;  // of a line
constexpr int64_t kMaxBands = 32;    // of a column
constexpr int64_t kLineBatch = 32;   // outputs whose states are set up together
constexpr int64_t kGatherWidth = 128;
constexpr int64_t kGatherRows = 32;
constexpr int64_t kFoldWidth = 256;

int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }
// How many units of `cost` elements each are one piece of work.
int64_t grain_of(int64_t cost) { return max64(1, kUnit / max64(1, cost)); }

template <class T>
void gather_line(const char* p, int64_t stride, int64_t n, char* out) {
  const T* q = reinterpret_cast<const T*>(p);
  for (int64_t i = 0; i < n; ++i) reinterpret_cast<T*>(out)[i] = q[i * stride];
}

template <class T>
void gather_row(const char* p, const int64_t* offsets, int64_t n, char* out) {
  const T* q = reinterpret_cast<const T*>(p);
  for (int64_t i = 0; i < n; ++i) reinterpret_cast<T*>(out)[i] = q[offsets[i]];
}

// Room for n states, freed at the end of the block.
class States {
 public:
  States(int64_t n, int64_t bytes) : data_(static_cast<char*>(::operator new(n * bytes))) {}
  ~States() { ::operator delete(data_); }
  States(const States&) = delete;
  States& operator=(const States&) = delete;
  char* data() { return data_; }

 private:
  char* data_;
};

class Walk {
 public:
  Walk(const ReduceOps& ops, const ReduceArgs& args)
      : ops_(ops),
        a_(args),
        in_(static_cast<const char*>(args.in)),
        item_(ops.item_bytes),
        total_(ops.total_bytes),
        outputs_(args.outer * args.inner) {}

  void run() const {
    if (outputs_ == 0) return;
    const int64_t short_line = ops_.lanes / 2;  // leaves most of a vector idle
    const bool neighbours = a_.in_inner == 1 && a_.inner > 1;
    if (a_.n == 0) {
      empty();
    } else if (neighbours && a_.in_n == a_.inner && a_.inner <= kFoldWidth / 4 &&
               a_.n * a_.inner >= 2 * kFoldWidth) {
      folded();
    } else if (neighbours && a_.inner >= ops_.lanes) {
      columns();
    } else if (outputs_ >= ops_.lanes &&
               (a_.n < short_line || (a_.in_n != 1 && (a_.n < 512 || outputs_ >= 1024)))) {
      gathered();
    } else {
      lines();
    }
  }

 private:
  const ReduceOps& ops_;
  const ReduceArgs& a_;
  const char* in_;
  int64_t item_, total_, outputs_;

  const char* at(const char* p, int64_t elements) const { return p + elements * item_; }
  const char* input(int64_t o, int64_t i) const {
    return at(in_, o * a_.in_outer + i * a_.in_inner);
  }
  int64_t output(int64_t o, int64_t i) const { return o * a_.out_outer + i * a_.out_inner; }
  char* state(char* t, int64_t i) const { return t + i * total_; }

  // Writes outputs u .. u + n, whose states lie side by side.
  void finish_run(const char* t, int64_t u, int64_t n) const {
    while (n > 0) {
      const int64_t o = u / a_.inner, i = u % a_.inner;
      const bool along_outer = a_.inner == 1;
      const int64_t m = along_outer ? n : min64(n, a_.inner - i);
      ops_.finish(t, m, a_, output(o, i), along_outer ? a_.out_outer : a_.out_inner);
      t += m * total_;
      u += m;
      n -= m;
    }
  }

  void empty() const {
    alignas(8) char t[kMaxTotalBytes];
    ops_.init(t, 1, a_);
    for (int64_t u = 0; u < outputs_; ++u) finish_run(t, u, 1);
  }

  void gather_evenly(const char* p, int64_t stride, int64_t n, char* out) const {
    switch (item_) {
      case 1:
        return gather_line<uint8_t>(p, stride, n, out);
      case 2:
        return gather_line<uint16_t>(p, stride, n, out);
      case 4:
        return gather_line<uint32_t>(p, stride, n, out);
      default:
        return gather_line<uint64_t>(p, stride, n, out);
    }
  }

  // ---- lines ----

  void line(const char* p, int64_t first, int64_t n, char* t) const {
    for (int64_t i = 0; i < n; i += kLeaf) {
      const int64_t m = min64(kLeaf, n - i);
      if (a_.in_n == 1) {
        ops_.leaves(at(p, i), 0, 1, m, first + i, t);
      } else {
        alignas(8) char buffer[kLeaf * 8];
        const char* q = at(p, i * a_.in_n);
        gather_evenly(q, a_.in_n, m, buffer);
        ops_.leaves(buffer, 0, 1, m, first + i, t);
      }
      if (ops_.done && ops_.done(t)) return;
    }
  }

  void lines() const {
    if (outputs_ < kFewUnits && a_.n >= 2 * kUnit) return long_lines();
    parallel_for(0, outputs_, grain_of(a_.n), [&](int64_t begin, int64_t end) {
      alignas(8) char t[kLineBatch * kMaxTotalBytes];
      int64_t o = begin / a_.inner, i = begin % a_.inner;
      for (int64_t u = begin; u < end; u += kLineBatch) {
        const int64_t m = min64(kLineBatch, end - u);
        ops_.init(t, m, a_);
        if (a_.inner == 1 && a_.in_n == 1 && a_.n <= kLeaf) {
          ops_.leaves(input(u, 0), a_.in_outer, m, a_.n, 0, t);
          finish_run(t, u, m);
          continue;
        }
        for (int64_t j = 0; j < m; ++j) {
          line(input(o, i), 0, a_.n, state(t, j));
          if (++i == a_.inner) i = 0, ++o;
        }
        finish_run(t, u, m);
      }
    });
  }

  void long_lines() const {
    const int64_t piece = max64(kUnit, round_up(ceil_div(a_.n, kMaxPieces), kLeaf));
    const int64_t pieces = ceil_div(a_.n, piece);
    States partial(outputs_ * pieces, total_);
    ops_.init(partial.data(), outputs_ * pieces, a_);
    parallel_for(0, outputs_ * pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t w = begin; w < end; ++w) {
        const int64_t u = w / pieces, first = w % pieces * piece;
        alignas(64) char t[kMaxTotalBytes];  // its own cache line while it is worked on
        ops_.init(t, 1, a_);
        line(at(input(u / a_.inner, u % a_.inner), first * a_.in_n), first,
             min64(piece, a_.n - first), t);
        ops_.merge(state(partial.data(), w), t, 1);
      }
    });
    for (int64_t u = 0; u < outputs_; ++u) {
      char* t = state(partial.data(), u * pieces);
      for (int64_t i = 1; i < pieces; ++i) ops_.merge(t, state(t, i), 1);
      finish_run(t, u, 1);
    }
  }

  // ---- columns ----

  void rows(const char* p, int64_t stride, int64_t n, int64_t first, int64_t width, char* t) const {
    for (int64_t r = 0; r < n; r += ops_.rows) {
      ops_.slab(at(p, r * stride), stride, min64(ops_.rows, n - r), first + r, width, t);
    }
  }

  void columns() const {
    const int64_t even = round_up(ceil_div(a_.inner, ceil_div(a_.inner, ops_.width)), 64);
    const int64_t tile = min64(min64(ops_.width, even), a_.inner);
    const int64_t tiles = ceil_div(a_.inner, tile), units = a_.outer * tiles;
    if (units < kFewUnits && a_.n >= 16 && a_.n * a_.inner >= 2 * kUnit) {
      return tall_columns(tile, tiles);
    }
    parallel_for(0, units, grain_of(a_.n * tile), [&](int64_t begin, int64_t end) {
      alignas(64) char t[kMaxWidth * kMaxTotalBytes];
      for (int64_t u = begin; u < end; ++u) {
        const int64_t o = u / tiles, c = u % tiles * tile, width = min64(tile, a_.inner - c);
        ops_.init(t, width, a_);
        rows(input(o, c), a_.in_n, a_.n, 0, width, t);
        ops_.finish(t, width, a_, output(o, c), a_.out_inner);
      }
    });
  }

  void tall_columns(int64_t tile, int64_t tiles) const {
    const int64_t units = a_.outer * tiles;
    const int64_t band = max64(max64(8, kUnit / tile), ceil_div(a_.n, kMaxBands));
    const int64_t bands = ceil_div(a_.n, band);
    States partial(bands * outputs_, total_);
    parallel_for(0, units * bands, 1, [&](int64_t begin, int64_t end) {
      for (int64_t w = begin; w < end; ++w) {
        const int64_t o = w / bands / tiles, c = w / bands % tiles * tile;
        const int64_t first = w % bands * band, width = min64(tile, a_.inner - c);
        char* t = state(partial.data(), w % bands * outputs_ + o * a_.inner + c);
        ops_.init(t, width, a_);
        rows(at(input(o, c), first * a_.in_n), a_.in_n, min64(band, a_.n - first), first, width, t);
      }
    });
    parallel_for(0, units, grain_of(bands * tile), [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; ++u) {
        const int64_t o = u / tiles, c = u % tiles * tile, width = min64(tile, a_.inner - c);
        char* t = state(partial.data(), o * a_.inner + c);
        for (int64_t i = 1; i < bands; ++i) ops_.merge(t, state(t, i * outputs_), width);
        ops_.finish(t, width, a_, output(o, c), a_.out_inner);
      }
    });
  }

  // ---- folded: k neighbouring rows of few columns are one row of k * inner columns ----

  void fold(const char* p, int64_t n, int64_t first, int64_t k, char* result) const {
    alignas(64) char t[kFoldWidth * kMaxTotalBytes];
    const int64_t width = k * a_.inner, whole = n / k, rest = n % k;
    ops_.init(t, width, a_);
    rows(p, width, whole, 0, width, t);
    if (rest) ops_.slab(at(p, whole * width), width, 1, whole, rest * a_.inner, t);
    ops_.init(result, a_.inner, a_);
    for (int64_t q = 0; q < min64(k, n); ++q) {
      char* later = state(t, q * a_.inner);
      if (ops_.unfold) ops_.unfold(later, a_.inner, k, first + q);
      ops_.merge(result, later, a_.inner);
    }
  }

  void folded() const {
    const int64_t k = kFoldWidth / a_.inner;
    int64_t pieces = 1, piece = a_.n;
    if (a_.outer < kFewUnits && a_.n * a_.inner >= 2 * kUnit) {
      piece = max64(kUnit / a_.inner, ceil_div(a_.n, kMaxPieces));
      pieces = ceil_div(a_.n, piece);
    }
    States partial(pieces > 1 ? pieces * outputs_ : 0, total_);
    parallel_for(0, a_.outer * pieces, grain_of(piece * a_.inner), [&](int64_t begin, int64_t end) {
      alignas(64) char t[kFoldWidth * kMaxTotalBytes];
      for (int64_t w = begin; w < end; ++w) {
        const int64_t o = w / pieces, first = w % pieces * piece;
        char* result = pieces > 1 ? state(partial.data(), w * a_.inner) : t;
        fold(at(input(o, 0), first * a_.in_n), min64(piece, a_.n - first), first, k, result);
        if (pieces == 1) ops_.finish(t, a_.inner, a_, output(o, 0), a_.out_inner);
      }
    });
    if (pieces == 1) return;
    for (int64_t o = 0; o < a_.outer; ++o) {
      char* t = state(partial.data(), o * pieces * a_.inner);
      for (int64_t i = 1; i < pieces; ++i) ops_.merge(t, state(t, i * a_.inner), a_.inner);
      ops_.finish(t, a_.inner, a_, output(o, 0), a_.out_inner);
    }
  }

  // ---- gathered: any outputs become the columns of a small buffer ----

  void gathered() const {
    const int64_t tiles = ceil_div(outputs_, kGatherWidth);
    const bool even = a_.inner == 1;
    parallel_for(0, tiles, grain_of(2 * kGatherWidth * a_.n), [&](int64_t begin, int64_t end) {
      alignas(64) char t[kGatherWidth * kMaxTotalBytes];
      alignas(64) char buffer[kGatherRows * kGatherWidth * 8];
      int64_t offsets[kGatherWidth];
      for (int64_t tile = begin; tile < end; ++tile) {
        const int64_t u = tile * kGatherWidth, width = min64(kGatherWidth, outputs_ - u);
        for (int64_t c = 0, o = u / a_.inner, i = u % a_.inner; c < width; ++c) {
          offsets[c] = o * a_.in_outer + i * a_.in_inner;
          if (++i == a_.inner) i = 0, ++o;
        }
        ops_.init(t, width, a_);
        for (int64_t r = 0; r < a_.n; r += kGatherRows) {
          const int64_t m = min64(kGatherRows, a_.n - r);
          for (int64_t j = 0; j < m; ++j) {
            const char* p = at(in_, (r + j) * a_.in_n);
            char* row = buffer + j * kGatherWidth * item_;
            if (even) {
              gather_evenly(at(p, offsets[0]), a_.in_outer, width, row);
              continue;
            }
            switch (item_) {
              case 1:
                gather_row<uint8_t>(p, offsets, width, row);
                break;
              case 2:
                gather_row<uint16_t>(p, offsets, width, row);
                break;
              case 4:
                gather_row<uint32_t>(p, offsets, width, row);
                break;
              default:
                gather_row<uint64_t>(p, offsets, width, row);
                break;
            }
          }
          ops_.slab(buffer, kGatherWidth, m, r, width, t);
        }
        finish_run(t, u, width);
      }
    });
  }
};

}  // namespace

void run_reduction(const ReduceOps& ops, const ReduceArgs& args) { Walk(ops, args).run(); }

}  // namespace pt::PT_ISA
