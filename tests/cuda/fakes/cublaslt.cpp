// A cuBLASLt for tests: checks what it is told about the matrices, and multiplies them on the host,
// where the emulator's memory is. Attributes have the numbers of cuBLASLt's documentation.
// test_libraries.py builds it and reads the counters.
#include <initializer_list>

#include "fake.h"

namespace {

int calls = 0, plans = 0;

constexpr int kInvalid = 7, kNotSupported = 15, kBrainType = 14;  // other types: as Kind

int complain(const char* what) { return complain(what, kInvalid); }

struct Layout {
  int type;
  int64_t rows, columns, ld;
  int32_t batch = 1;
  int64_t offset = 0;
};
struct Desc {
  int compute, scale;
  int32_t trans_a = 0, trans_b = 0;
  uint32_t epilogue = 1;
  const void* bias = nullptr;
};
struct Preference {
  size_t workspace = 0;
  uint32_t alignment[4] = {256, 256, 256, 256};
};
struct Heuristic {
  uint64_t algorithm[8];
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};
constexpr size_t kWorkspace = 4096;

Kind kind_of(int type) { return type == kBrainType ? kBrain : static_cast<Kind>(type); }

int check(const Desc& d, const Layout& a, const Layout& b, const Layout& c) {
  if (a.type != b.type || a.type != c.type) return complain("types differ");
  const bool is_double = a.type == kDouble;
  if (d.scale != (is_double ? kDouble : kFloat)) return complain("wrong type of scale");
  if (is_double ? d.compute != 70 : d.compute != 68 && !(d.compute == 77 && a.type == kFloat))
    return complain("wrong compute type");
  const int64_t m = d.trans_a ? a.columns : a.rows, k = d.trans_a ? a.rows : a.columns;
  const int64_t n = d.trans_b ? b.rows : b.columns, k2 = d.trans_b ? b.columns : b.rows;
  if (k != k2 || c.rows != m || c.columns != n) return complain("sizes do not fit");
  for (const Layout* l : {&a, &b, &c}) {
    if (l->rows < 1 || l->columns < 1) return complain("empty matrix");
    if (l->ld < l->rows) return complain("leading dimension below the number of rows");
    if (l->batch != c.batch || l->batch < 1) return complain("batch counts differ");
  }
  if (c.batch > 1 && c.offset < 1) return complain("batches of C overlap");
  if (d.epilogue != 1 && d.epilogue != 4) return complain("unknown epilogue");
  if ((d.epilogue == 4) != (d.bias != nullptr)) return complain("epilogue and bias do not fit");
  return 0;
}

}  // namespace

API int fake_calls() { return calls; }
API int fake_plans() { return plans; }

API size_t cublasLtGetVersion() { return FAKE_VERSION; }
API int cublasLtCreate(void** h) {
  *h = &calls;
  return 0;
}
API int cublasLtMatrixLayoutCreate(Layout** l, int type, uint64_t rows, uint64_t columns,
                                   int64_t ld) {
  *l = new Layout{type, static_cast<int64_t>(rows), static_cast<int64_t>(columns), ld};
  return 0;
}
API int cublasLtMatrixLayoutDestroy(Layout* l) {
  delete l;
  return 0;
}
API int cublasLtMatrixLayoutSetAttribute(Layout* l, int attribute, const void* p, size_t bytes) {
  if (attribute == 5 && bytes == 4) {
    std::memcpy(&l->batch, p, bytes);
  } else if (attribute == 6 && bytes == 8) {
    std::memcpy(&l->offset, p, bytes);
  } else {
    return complain("layout attribute");
  }
  return 0;
}
API int cublasLtMatmulDescCreate(Desc** d, int compute, int scale) {
  *d = new Desc{compute, scale};
  return 0;
}
API int cublasLtMatmulDescDestroy(Desc* d) {
  delete d;
  return 0;
}
API int cublasLtMatmulDescSetAttribute(Desc* d, int attribute, const void* p, size_t bytes) {
  if (attribute == 3 && bytes == 4) {
    std::memcpy(&d->trans_a, p, bytes);
  } else if (attribute == 4 && bytes == 4) {
    std::memcpy(&d->trans_b, p, bytes);
  } else if (attribute == 7 && bytes == 4) {
    std::memcpy(&d->epilogue, p, bytes);
  } else if (attribute == 8 && bytes == 8) {
    std::memcpy(&d->bias, p, bytes);
  } else {
    return complain("matmul attribute");
  }
  return 0;
}
API int cublasLtMatmulPreferenceCreate(Preference** p) {
  *p = new Preference;
  return 0;
}
API int cublasLtMatmulPreferenceDestroy(Preference* p) {
  delete p;
  return 0;
}
API int cublasLtMatmulPreferenceSetAttribute(Preference* w, int attribute, const void* p,
                                             size_t bytes) {
  if (attribute == 1 && bytes == 8) {
    std::memcpy(&w->workspace, p, bytes);
  } else if (attribute >= 5 && attribute <= 8 && bytes == 4) {
    std::memcpy(&w->alignment[attribute - 5], p, bytes);
  } else {
    return complain("preference attribute");
  }
  return 0;
}
API int cublasLtMatmulAlgoGetHeuristic(void* handle, Desc* d, Layout* a, Layout* b, Layout* c,
                                       Layout* out, Preference* w, int wanted, Heuristic* results,
                                       int* found) {
  *found = 0;
  if (handle != &calls || wanted != 1) return complain("arguments of the heuristic");
  if (const int status = check(*d, *a, *b, *c)) return status;
  if (std::memcmp(c, out, sizeof *c) != 0) return complain("C and D differ");
  if (w->workspace < kWorkspace) return complain("no workspace");
  for (int i = 0; i < 4; ++i) {
    const Layout* of[] = {a, b, c, c};
    if (w->alignment[i] < size_of(kind_of(of[i]->type)))
      return complain("alignment below an element");
  }
  if (d->scale == kFloat && c->rows == 13) return kNotSupported;  // as happens
  ++plans;
  *results = {};
  for (int i = 0; i < 4; ++i) results->algorithm[i] = w->alignment[i];
  results->workspace = kWorkspace;
  *found = 1;
  return 0;
}
API int cublasLtMatmul(void* handle, Desc* d, const void* alpha, const void* a, Layout* la,
                       const void* b, Layout* lb, const void* beta, const void* c, Layout* lc,
                       void* out, Layout* lo, const uint64_t* algorithm, void* workspace,
                       size_t workspace_bytes, void*) {
  if (handle != &calls || c != out || lc != lo) return complain("arguments of the product");
  if (const int status = check(*d, *la, *lb, *lc)) return status;
  if (workspace_bytes != kWorkspace || !workspace) return complain("workspace");
  const void* operands[] = {a, b, c, out};
  for (int i = 0; i < 4; ++i)
    if (reinterpret_cast<uintptr_t>(operands[i]) % algorithm[i]) return complain("misaligned");
  std::memset(workspace, 0, workspace_bytes);
  const Kind type = kind_of(la->type);
  const Kind scale = kind_of(d->scale);
  const double by = read(alpha, 0, scale), keep = read(beta, 0, scale);
  const int64_t terms = d->trans_a ? la->rows : la->columns;
  for (int64_t batch = 0; batch < lc->batch; ++batch) {
    for (int64_t j = 0; j < lc->columns; ++j) {
      for (int64_t i = 0; i < lc->rows; ++i) {
        double sum = 0;
        for (int64_t t = 0; t < terms; ++t) {
          const int64_t at_a = d->trans_a ? t + i * la->ld : i + t * la->ld;
          const int64_t at_b = d->trans_b ? j + t * lb->ld : t + j * lb->ld;
          sum +=
              read(a, batch * la->offset + at_a, type) * read(b, batch * lb->offset + at_b, type);
        }
        const int64_t at = batch * lc->offset + i + j * lc->ld;
        double v = by * sum;
        if (keep != 0) v += keep * read(out, at, type);
        if (d->bias) v += read(d->bias, i, type);
        write(out, at, type, v);
      }
    }
  }
  ++calls;
  return 0;
}
