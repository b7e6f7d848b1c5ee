// Which kernels of the table have been called: with PYTENSOR_EMU_COVERAGE=path the table handed out
// leads to stubs that count, and the counts are written when the process ends, a line each: name,
// dtype, calls. tests/cuda/test_checked.py asks with it what the tests leave out.
#include "cuda/emu/coverage.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <vector>

namespace pt::emu {

namespace {

struct Row {
  const char* name;
  DType dtype;
  uint64_t calls = 0;
};
std::deque<Row>& rows() {
  static std::deque<Row> all;  // where a row lies never changes: stubs know it
  return all;
}
std::deque<std::vector<KernelEntry>> entries;
std::deque<KernelList> lists;

// incq (count); jmp target. Works for every signature.
class Stubs {
 public:
  AnyFn make(uint64_t* count, AnyFn target) {
    static constexpr unsigned char kCode[] = {
        0x49, 0xbb, 0,    0, 0, 0, 0, 0, 0, 0,  // movabs count, r11
        0x49, 0xff, 0x03,                       // incq (r11)
        0x49, 0xbb, 0,    0, 0, 0, 0, 0, 0, 0,  // movabs target, r11
        0x41, 0xff, 0xe3,                       // jmp r11
    };
    if (used_ + sizeof kCode > kBytes) return target;
    unsigned char* p = memory_ + used_;
    used_ += (sizeof kCode + 15) / 16 * 16;
    std::memcpy(p, kCode, sizeof kCode);
    std::memcpy(p + 2, &count, sizeof count);
    std::memcpy(p + 15, &target, sizeof target);
    return reinterpret_cast<AnyFn>(p);
  }
  Stubs() {
    void* p = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) std::abort();
    memory_ = static_cast<unsigned char*>(p);
  }
  void seal() const {
    if (mprotect(memory_, kBytes, PROT_READ | PROT_EXEC) != 0) std::abort();
  }

 private:
  static constexpr size_t kBytes = size_t{1} << 20;
  unsigned char* memory_;
  size_t used_ = 0;
};

void write_rows() {
  std::FILE* file = std::fopen(std::getenv("PYTENSOR_EMU_COVERAGE"), "w");
  if (!file) return;
  for (const Row& r : rows())
    std::fprintf(file, "%s %s %llu\n", r.name, dtype_name(r.dtype),
                 static_cast<unsigned long long>(r.calls));
  std::fclose(file);
}

}  // namespace

const KernelList* counted(const KernelList* kernels) {
  if (!std::getenv("PYTENSOR_EMU_COVERAGE")) return kernels;
  static Stubs stubs;
  const KernelList* first = nullptr;
  for (const KernelList* list = kernels; list; list = list->next) {
    std::vector<KernelEntry>& copy =
        entries.emplace_back(list->entries, list->entries + list->count);
    for (KernelEntry& entry : copy)
      for (int t = 0; t < kNumDTypes; ++t) {
        if (!entry.fn[t]) continue;
        Row& row = rows().emplace_back(Row{entry.name, static_cast<DType>(t)});
        entry.fn[t] = stubs.make(&row.calls, entry.fn[t]);
      }
    lists.push_back({copy.data(), list->count, list->isa, const_cast<KernelList*>(first)});
    first = &lists.back();
  }
  stubs.seal();
  std::atexit(write_rows);
  return first;
}

}  // namespace pt::emu
