// CPUID bits of the bfloat16 units, and Linux's permission to use the tile registers.
#include "cpu/bfloat16_unit.h"

#include <cstdlib>
#include <string>

#include "core/error.h"
#include "cpu/kernel_table.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace pt {
namespace {

#if defined(__x86_64__) && defined(__linux__)

bool has_bit(unsigned value, int bit) { return (value >> bit) & 1u; }

// Threads of the process may use tile registers after this; Linux allocates their state lazily.
bool request_tiles() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // asm/prctl.h, asm/fpu/types.h
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

// Dot products have twice the rate of float32's multiply-adds on AMD's CPUs, half of it on Intel's.
bool dot_is_fast() { return __builtin_cpu_is("amd"); }

BFloat16Unit best_unit(BFloat16Unit most, bool wished) {
  __builtin_cpu_init();
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (most == BFloat16Unit::kNone || !__builtin_cpu_supports("avx512bw") ||
      !__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) || !has_bit(eax, 5)) {
    return BFloat16Unit::kNone;
  }
  if (most == BFloat16Unit::kTiles && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) &&
      has_bit(edx, 22) && has_bit(edx, 24) && request_tiles()) {
    return BFloat16Unit::kTiles;
  }
  return wished || dot_is_fast() ? BFloat16Unit::kDot : BFloat16Unit::kNone;
}

#else

BFloat16Unit best_unit(BFloat16Unit, bool) { return BFloat16Unit::kNone; }

#endif

BFloat16Unit choose() {
  if (active_isa() != Isa::kAvx512) return BFloat16Unit::kNone;  // no kernels
  const char* wish = std::getenv("PYTENSOR_BF16");
  if (!wish || !*wish) return best_unit(BFloat16Unit::kTiles, false);
  const std::string name = wish;
  if (name == "none") return BFloat16Unit::kNone;
  if (name == "dot") return best_unit(BFloat16Unit::kDot, true);
  PT_CHECK(name == "tiles", "PYTENSOR_BF16 must be none, dot or tiles, not '", name, "'");
  return best_unit(BFloat16Unit::kTiles, true);
}

}  // namespace

BFloat16Unit bfloat16_unit() {
  static const BFloat16Unit unit = choose();
  return unit;
}

const char* bfloat16_unit_name(BFloat16Unit unit) {
  static constexpr const char* kNames[] = {"none", "dot", "tiles"};
  return kNames[static_cast<int>(unit)];
}

}  // namespace pt
