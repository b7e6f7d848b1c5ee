// Tests of core/parallel: a program that aborts at the first failure. With --time it also prints
// the cost of a fork-join.
#include "core/parallel.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "check.h"

namespace {

using pt::parallel_for;

// Every index once, in chunks cut by the grain alone.
void check_cover(int64_t begin, int64_t end, int64_t grain) {
  std::vector<std::atomic<int>> hits(static_cast<size_t>(std::max<int64_t>(end - begin, 0)));
  parallel_for(begin, end, grain, [&](int64_t b, int64_t e) {
    CHECK((b - begin) % grain == 0 && (e == end || e - b == grain) && b < e);
    for (int64_t i = b; i < e; ++i) hits[static_cast<size_t>(i - begin)].fetch_add(1);
  });
  for (auto& h : hits) CHECK(h.load() == 1);
}

void test_cover() {
  for (int64_t n : {0, 1, 2, 3, 7, 64, 1000, 1001}) {
    for (int64_t grain : {1, 2, 3, 10, 999, 5000}) check_cover(-5, n - 5, grain);
  }
  for (int repeat = 0; repeat < 2000; ++repeat) check_cover(0, 17, 2);
}

void test_result_is_the_same_for_any_number_of_threads() {
  std::vector<float> values(100000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 1.0f / static_cast<float>(i + 1);
  const auto sum = [&] {
    constexpr int64_t kGrain = 1000;
    std::vector<float> partial(values.size() / kGrain);
    parallel_for(0, static_cast<int64_t>(values.size()), kGrain, [&](int64_t b, int64_t e) {
      partial[b / kGrain] = std::accumulate(values.begin() + b, values.begin() + e, 0.0f);
    });
    return std::accumulate(partial.begin(), partial.end(), 0.0f);
  };
  pt::set_num_threads(1);
  const float serial = sum();
  for (int threads : {2, 3, 8}) {
    pt::set_num_threads(threads);
    CHECK(sum() == serial);
  }
}

void test_nested_calls_run_on_the_calling_thread() {
  std::atomic<int> total{0};
  parallel_for(0, 16, 1, [&](int64_t, int64_t) {
    CHECK(pt::in_parallel_region() == (pt::get_num_threads() > 1));
    const auto self = std::this_thread::get_id();
    const int index = pt::thread_index();
    CHECK(index >= 0 && index < pt::get_num_threads());
    parallel_for(0, 10, 1, [&](int64_t, int64_t) {
      CHECK(std::this_thread::get_id() == self && pt::thread_index() == index);
      ++total;
    });
  });
  CHECK(total == 160 && !pt::in_parallel_region() && pt::thread_index() == 0);
}

void test_exceptions_reach_the_caller() {
  for (int repeat = 0; repeat < 200; ++repeat) {
    bool caught = false;
    try {
      parallel_for(0, 100, 1, [&](int64_t b, int64_t) {
        if (b % 7 == 3) throw std::runtime_error("chunk");
      });
    } catch (const std::runtime_error& e) {
      caught = std::string(e.what()) == "chunk";
    }
    CHECK(caught && !pt::in_parallel_region());
    check_cover(0, 50, 1);
  }
}

void test_callers_from_several_threads() {
  std::vector<std::thread> users;
  std::atomic<int64_t> total{0};
  for (int t = 0; t < 4; ++t) {
    users.emplace_back([&] {
      for (int repeat = 0; repeat < 300; ++repeat) {
        int64_t sum = 0;
        std::atomic<int64_t> shared{0};
        parallel_for(0, 100, 3, [&](int64_t b, int64_t e) {
          for (int64_t i = b; i < e; ++i) shared += i;
        });
        sum += shared;
        CHECK(sum == 4950);
        total += sum;
      }
    });
  }
  for (auto& u : users) u.join();
  CHECK(total == int64_t{4} * 300 * 4950);
}

void test_workers_wake_after_parking() {
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::this_thread::sleep_for(std::chrono::microseconds(repeat * 300));
    check_cover(0, 64, 1);
  }
}

// The caller takes all the chunks of workers that do not come: here there is no time to wake.
void test_caller_waits_for_running_chunks_only() {
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::atomic<bool> slow_done{false};
  parallel_for(0, 2, 1, [&](int64_t b, int64_t) {
    if (b == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
      slow_done = true;
    }
  });
  CHECK(slow_done);
}

[[maybe_unused]] void test_fork() {
  check_cover(0, 100, 1);
  for (int generation = 0; generation < 3; ++generation) {
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      check_cover(0, 1000, 3);
      check_cover(0, 1000, 3);
      std::exit(0);  // with static destructors
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    check_cover(0, 100, 1);
  }
}

[[maybe_unused]] void test_fork_while_another_thread_computes() {
  std::atomic<bool> stop{false};
  std::thread user([&] {
    while (!stop) check_cover(0, 200, 1);
  });
  for (int repeat = 0; repeat < 10; ++repeat) {
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      std::atomic<int> n{0};
      parallel_for(0, 64, 1, [&](int64_t, int64_t) { ++n; });
      _exit(n == 64 ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  stop = true;
  user.join();
}

void test_settings() {
  CHECK(pt::hardware_threads() >= 1);
  bool refused = false;
  try {
    pt::set_num_threads(0);
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  CHECK(refused);
  pt::set_num_threads(3);
  CHECK(pt::get_num_threads() == 3);
}

double median_us(int64_t chunks, std::chrono::microseconds gap) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (int repeat = 0; repeat < 2000; ++repeat) {
    for (const auto until = Clock::now() + gap; Clock::now() < until;) {
    }
    const auto start = Clock::now();
    parallel_for(0, chunks, 1, [](int64_t, int64_t) {});
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

double back_to_back_us(int64_t chunks) {
  using Clock = std::chrono::steady_clock;
  constexpr int kCalls = 20000;
  double best = 1e9;
  for (int repeat = 0; repeat < 10; ++repeat) {
    const auto start = Clock::now();
    for (int i = 0; i < kCalls; ++i) parallel_for(0, chunks, 1, [](int64_t, int64_t) {});
    const auto time = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
    best = std::min(best, time / kCalls);
  }
  return best;
}

void print_times() {
  pt::set_num_threads(2);
  for (int64_t chunks : {2, 16}) {
    std::printf("%2d chunks, 2 threads: back to back %.2f us", static_cast<int>(chunks),
                back_to_back_us(chunks));
    for (int gap : {10, 200, 1000, 3000}) {
      std::printf(", after %d us %.2f", gap, median_us(chunks, std::chrono::microseconds(gap)));
    }
    std::printf("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  test_settings();
  for (int threads : {1, 2, 4}) {
    pt::set_num_threads(threads);
    test_cover();
    test_nested_calls_run_on_the_calling_thread();
    test_exceptions_reach_the_caller();
    test_callers_from_several_threads();
    test_workers_wake_after_parking();
    test_caller_waits_for_running_chunks_only();
#ifndef __SANITIZE_THREAD__  // which cannot start threads after a fork
    test_fork();
    test_fork_while_another_thread_computes();
#endif
  }
  test_result_is_the_same_for_any_number_of_threads();
  if (argc > 1 && std::strcmp(argv[1], "--time") == 0) print_times();
  std::puts("parallel_test: ok");
}
