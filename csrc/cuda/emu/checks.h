// What checked builds (PT_EMU_CHECKED) know about memory: the kernels' files are compiled with
// -fsanitize=thread, but instead of that sanitizer's library checks.cpp receives their reads and
// writes. Other builds have none of it: callers ask kChecked first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pt::emu::checks {

#ifdef PT_EMU_CHECKED
inline constexpr bool kChecked = true;
#else
inline constexpr bool kChecked = false;
#endif
inline constexpr size_t kSharedGap = kChecked ? 128 : 0;  // between shared variables

// --- memory (runtime.cpp) ----------------------------------------------------------------------
void heap_made(char* heap, size_t bytes);
void allocated(char* p, size_t bytes);
void guard_behind(const char* p, size_t bytes);
void freed(char* p, size_t bytes);
void filled(const void* to, size_t bytes);                    // by a copy or a memset
void copied(const void* to, const void* from, size_t bytes);  // and what was fresh stays fresh
void copied_out(const void* from, size_t bytes);
// "byte 3 of an allocation of 40 bytes": defined by runtime.cpp.
const char* describe(const void* p);

// --- order between streams (runtime.cpp) --------------------------------------------------------
// How many operations of each stream have happened before something.
using Clock = std::vector<uint32_t>;
uint32_t enqueued(int stream);  // the number of a new operation, which follows what the host knows
void running(uint32_t operation);
const Clock& clock_of(int stream);
void stream_follows(int stream, const Clock& clock);
void host_follows(const Clock& clock);

// --- threads (threads.cpp) ----------------------------------------------------------------------
void launch_begins(char* shared, size_t dynamic_shared, const void* context, size_t context_bytes);
void block_begins(size_t index);
void barrier_opened();
void warp_synchronized(int thread);
void shared_declared(size_t offset, size_t bytes);
void copy_pending(const void* shared, size_t bytes);
void copy_done(const void* shared, size_t bytes, const void* from, size_t read);
void atomic(const void* p, size_t bytes);
// The memory of threads.cpp that kernels may read: the stack of the running thread, and indices.
bool is_local(const void* p);
[[noreturn]] void abandon_launch();

extern bool in_kernel;  // false while the emulator itself runs
struct Pause {
  bool before = kChecked && in_kernel_now();
  Pause() { set(false); }
  ~Pause() { set(before); }

 private:
  static bool in_kernel_now() {
    if constexpr (kChecked) return in_kernel;
    return false;
  }
  static void set([[maybe_unused]] bool on) {
    if constexpr (kChecked) in_kernel = on;
  }
};

}  // namespace pt::emu::checks
