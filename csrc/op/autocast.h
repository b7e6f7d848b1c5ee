// Autocast: while a thread is in it, expensive ops get their inputs as bfloat16 or float16, and ops
// that need range or digits get theirs as float32. Asked by dispatch; set by the Python layer.
#pragma once

#include <atomic>

#include "op/dispatch.h"

namespace pt {

struct AutocastState {
  bool enabled = false;
  bool cache_enabled = true;
  DType dtype = DType::kBFloat16;
  int nesting = 0;  // regions entered, enabled or not
};

// The calling thread's state. Changes go through set_autocast(), which counts threads.
const AutocastState& autocast_state();
void set_autocast(const AutocastState& state);
// Forgets the casts of parameters that were kept for their next use.
void clear_autocast_cache();

// How many threads have it enabled: the one test that a call pays while nobody has.
extern std::atomic<int> autocasting_threads;
inline bool autocast_possible() { return autocasting_threads.load(std::memory_order_relaxed) != 0; }

// Makes the call with cast inputs and autocast off inside of it, if the op has a rule; else false.
bool dispatch_autocast(const OpInfo& op, const Value* args, Result& result);

// Off while it lives: for ops that write to tensors of given dtypes.
class NoAutocast {
 public:
  NoAutocast() : was_on_(autocast_possible() && autocast_state().enabled) {
    if (was_on_) set(false);
  }
  ~NoAutocast() {
    if (was_on_) set(true);
  }
  NoAutocast(const NoAutocast&) = delete;
  NoAutocast& operator=(const NoAutocast&) = delete;

 private:
  static void set(bool on) {
    AutocastState s = autocast_state();
    s.enabled = on;
    set_autocast(s);
  }
  const bool was_on_;
};

}  // namespace pt
