// The kernel table: which ISA is active, and the lookup of kernels by name.
#include "cpu/kernel_table.h"

#include <cstdlib>
#include <string>
#include <unordered_map>

#include "core/device_runtime.h"
#include "core/error.h"

namespace pt {

namespace {

KernelList* lists[kNumIsas] = {};  // constant-initialised: static initialisers append to it

bool supported(Isa isa) {
  if (!lists[static_cast<int>(isa)]) return false;  // not built
#if defined(__x86_64__)
  __builtin_cpu_init();
  switch (isa) {
    case Isa::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("fma");
    case Isa::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi2");
    default:
      return true;
  }
#else
  return isa == Isa::kBaseline;
#endif
}

Isa choose() {
  const char* wish = std::getenv("PYTENSOR_ISA");
  for (int i = kNumIsas - 1; i >= 0; --i) {
    const Isa isa = static_cast<Isa>(i);
    if (wish && *wish) {
      if (std::string(wish) != isa_name(isa)) continue;
      PT_CHECK(supported(isa), "PYTENSOR_ISA=", wish, " is not supported by this CPU or build");
      return isa;
    }
    if (supported(isa)) return isa;
  }
  raise(ErrorKind::kRuntime, "PYTENSOR_ISA must be baseline, avx2 or avx512, not '",
        wish ? wish : "", "'");
}

}  // namespace

void register_kernels(KernelList* list) {
  KernelList*& head = lists[static_cast<int>(list->isa)];
  list->next = head;
  head = list;
}

const char* isa_name(Isa isa) {
  static constexpr const char* kNames[kNumIsas] = {"baseline", "avx2", "avx512"};
  return kNames[static_cast<int>(isa)];
}

Isa active_isa() {
  static const Isa isa = choose();
  return isa;
}

const KernelEntry* find_kernel(const char* name) {
  static const auto table = [] {
    std::unordered_map<std::string, const KernelEntry*> t;
    for (KernelList* l = lists[static_cast<int>(active_isa())]; l; l = l->next)
      for (int i = 0; i < l->count; ++i) t.emplace(l->entries[i].name, &l->entries[i]);
    return t;
  }();
  const auto it = table.find(name);
  return it == table.end() ? nullptr : it->second;
}

const KernelEntry* find_device_kernel(const char* name) {
  static const auto table = [] {
    std::unordered_map<std::string, const KernelEntry*> t;
    for (const KernelList* l = device_api().kernels; l; l = l->next)
      for (int i = 0; i < l->count; ++i) t.emplace(l->entries[i].name, &l->entries[i]);
    return t;
  }();
  const auto it = table.find(name);
  return it == table.end() ? nullptr : it->second;
}

const KernelEntry& device_kernel(const char* name) {
  const KernelEntry* entry = find_device_kernel(name);
  if (!entry) [[unlikely]]
    raise(ErrorKind::kNotImplemented, "Could not run 'aten::", call_place.op ? call_place.op : name,
          "' with arguments from the 'CUDA' backend: it has no kernel '", name, "'.");
  return *entry;
}

void refuse_device_dtype(const char* name, DType t) {
  raise(ErrorKind::kNotImplemented, "\"", name, "_cuda\" not implemented for '", dtype_name(t),
        "'");
}

}  // namespace pt
