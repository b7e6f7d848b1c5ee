// What a backward pass remembers: a task for each node, found by the node's address, in memory that
// the thread keeps from run to run. Used by engine.cpp alone.
#pragma once

#include <memory>
#include <vector>

#include "autograd/node.h"

namespace pt {

// One node's state during a run.
struct Task {
  Node* node = nullptr;
  int waiting = 0;       // gradients still to come
  bool needed = true;    // leads to a requested input
  bool visited = false;  // by select_needed()
  GradVector grads;
};

// Node* -> Task, open addressing: cheaper than unordered_map for the graphs of small programs.
class TaskTable {
 public:
  TaskTable() : slots_(kFirstSize, -1) {}
  Task& operator[](Node* n) {
    if (tasks_.size() * 2 >= slots_.size()) grow();
    for (size_t i = hash(n);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i] < 0) {
        slots_[i] = static_cast<int32_t>(tasks_.size());
        tasks_.push_back({});
        tasks_.back().node = n;
        return tasks_.back();
      }
      if (tasks_[static_cast<size_t>(slots_[i])].node == n)
        return tasks_[static_cast<size_t>(slots_[i])];
    }
  }
  Task* find(Node* n) {
    for (size_t i = hash(n);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i] < 0) return nullptr;
      if (tasks_[static_cast<size_t>(slots_[i])].node == n)
        return &tasks_[static_cast<size_t>(slots_[i])];
    }
  }
  size_t size() const { return tasks_.size(); }
  std::vector<Task>& all() { return tasks_; }
  void clear() {
    tasks_.clear();
    slots_.assign(kFirstSize, -1);
  }

 private:
  static constexpr size_t kFirstSize = 64;
  size_t hash(Node* n) const {
    const auto x = reinterpret_cast<uintptr_t>(n);
    return ((x >> 6) * 0x9E3779B97F4A7C15ull >> 20) & (slots_.size() - 1);
  }
  void grow() {
    slots_.assign(slots_.size() * 4, -1);
    for (size_t t = 0; t < tasks_.size(); ++t) {
      size_t i = hash(tasks_[t].node);
      while (slots_[i] >= 0) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = static_cast<int32_t>(t);
    }
  }
  std::vector<int32_t> slots_;
  std::vector<Task> tasks_;
};

// The memory of a run, kept by the thread for the next one: small graphs would spend a good part
// of their time on allocating it.
struct Scratch {
  TaskTable tasks;
  std::vector<Edge> roots;
  std::vector<Node*> ready;  // heap of nodes whose gradients are complete
  std::vector<Node*> stack;
  std::vector<GradVector> lists;  // empty ones, for tasks
  GradVector out;

  static constexpr size_t kKeptTasks = 256;
  static std::unique_ptr<Scratch> take() {
    return spare ? std::move(spare) : std::make_unique<Scratch>();
  }
  static void give(std::unique_ptr<Scratch> s) {
    if (s->tasks.size() > kKeptTasks) return;
    s->tasks.clear();
    s->roots.clear();
    s->ready.clear();
    s->stack.clear();
    s->out.clear();
    spare = std::move(s);
  }
  static thread_local std::unique_ptr<Scratch> spare;
};
inline thread_local std::unique_ptr<Scratch> Scratch::spare;

}  // namespace pt
