// Limits of the process on Linux: sched_getaffinity and the files of cgroup v1 and v2.
// Elsewhere the standard library's and POSIX's answers are used. A missing or unreadable file
// means "no limit": containers hide parts of the hierarchy.
#include "core/machine.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

#ifdef __linux__
#include <sched.h>
#include <sys/sysinfo.h>
#endif
#include <unistd.h>

namespace pt {
namespace {

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

#ifdef __linux__

const char kCgroupRoot[] = "/sys/fs/cgroup";

// Path of this process within the hierarchy of `controller`; "" selects the one of cgroup v2.
std::string cgroup_path(const std::string& controller) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // "4:cpu,cpuacct:/user" or "0::/user"
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (names == ",,") {
      if (controller.empty()) return line.substr(second + 1);
    } else if (!controller.empty() && names.find("," + controller + ",") != std::string::npos) {
      return line.substr(second + 1);
    }
  }
  return "/";
}

// The smallest value of `read(directory)` from the group of this process up to the root.
template <class Read>
uint64_t least_limit(const std::string& mount, std::string path, Read read) {
  uint64_t least = kNoLimit;
  for (;;) {
    while (!path.empty() && path.back() == '/') path.pop_back();
    least = std::min(least, read(mount + path + "/"));
    if (path.empty()) return least;
    path.resize(path.find_last_of('/') == std::string::npos ? 0 : path.find_last_of('/'));
  }
}

uint64_t processors_of_quota(double quota, double period) {
  if (!(quota > 0) || !(period > 0)) return kNoLimit;
  const auto whole = static_cast<uint64_t>(quota / period);
  return std::max<uint64_t>(1, whole + (static_cast<double>(whole) * period < quota));
}

uint64_t cgroup_processors() {
  const uint64_t v2 = least_limit(kCgroupRoot, cgroup_path(""), [](const std::string& dir) {
    double quota = 0, period = 0;  // "max 100000" leaves quota unread
    std::ifstream(dir + "cpu.max") >> quota >> period;
    return processors_of_quota(quota, period);
  });
  const std::string mount = std::string(kCgroupRoot) + "/cpu";
  const uint64_t v1 = least_limit(mount, cgroup_path("cpu"), [](const std::string& dir) {
    double quota = 0, period = 0;
    std::ifstream(dir + "cpu.cfs_quota_us") >> quota;
    std::ifstream(dir + "cpu.cfs_period_us") >> period;
    return processors_of_quota(quota, period);
  });
  return std::min(v1, v2);
}

uint64_t cgroup_memory() {
  const auto read_bytes = [](const std::string& file) {
    uint64_t bytes = 0;
    return (std::ifstream(file) >> bytes) && bytes > 0 ? bytes : kNoLimit;
  };
  const uint64_t v2 = least_limit(kCgroupRoot, cgroup_path(""), [&](const std::string& dir) {
    return read_bytes(dir + "memory.max");
  });
  const std::string mount = std::string(kCgroupRoot) + "/memory";
  const uint64_t v1 = least_limit(mount, cgroup_path("memory"), [&](const std::string& dir) {
    return read_bytes(dir + "memory.limit_in_bytes");
  });
  return std::min(v1, v2);
}

uint64_t affinity_processors() {
  for (int capacity = 1024; capacity <= 65536; capacity *= 4) {  // EINVAL: more CPUs than bits
    cpu_set_t* set = CPU_ALLOC(capacity);
    if (!set) break;
    const size_t size = CPU_ALLOC_SIZE(capacity);
    const bool known = sched_getaffinity(0, size, set) == 0;
    const int count = known ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (count > 0) return static_cast<uint64_t>(count);
  }
  return std::max(1u, std::thread::hardware_concurrency());
}

#else

uint64_t cgroup_processors() { return kNoLimit; }
uint64_t cgroup_memory() { return kNoLimit; }
uint64_t affinity_processors() { return std::max(1u, std::thread::hardware_concurrency()); }

#endif

uint64_t physical_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page)
                               : kNoLimit;
}

}  // namespace

int usable_processors() {
  return static_cast<int>(std::min(affinity_processors(), cgroup_processors()));
}

uint64_t usable_memory() { return std::min(physical_memory(), cgroup_memory()); }

uint64_t total_memory() {
#ifdef __linux__
  struct sysinfo info;
  if (sysinfo(&info) == 0) return (uint64_t{info.totalram} + info.totalswap) * info.mem_unit;
#endif
  return physical_memory();
}

}  // namespace pt
