// A program for workers.test.ts: calls workers in each way that ops do, and exits with 1 at the first wrong result.
#include "../../native/phases.h"
#include "../../native/workers.h"

#include <unistd.h>

#include <atomic>
#include <cfenv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

using namespace ferkit;

namespace {

void expect(bool isRight, const char* what) {
  if (isRight) return;
  printf("WRONG %s\n", what);
  exit(1);
}

int numWorkers;
Workers* workers;

void run(int count, const std::function<void(int)>& task) {
  const auto call = [](void* argument, int i) { (*static_cast<const std::function<void(int)>*>(argument))(i); };
  workers->run(count, call, const_cast<std::function<void(int)>*>(&task));
}

/** Returns whether each of `count` tasks has run once at the return. */
bool runsEachOnce(int count) {
  std::vector<int> numRuns(count);
  run(count, [&](int i) { ++numRuns[i]; });
  for (const int one : numRuns)
    if (one != 1) return false;
  return true;
}

void testOneCaller() {
  for (int round = 0; round < 20000; ++round) expect(runsEachOnce(round % 9 + 1), "tasks of one caller");
  for (const int count : {0, 1, 1000, 65535, 65536, 100000}) expect(runsEachOnce(count), "any number of tasks");
}

/** The workers help one of them at a time. */
void testCallers() {
  std::atomic<int> numRight{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 7; ++caller)
    callers.emplace_back([&, caller] {
      for (int round = 0; round < 5000; ++round) numRight += runsEachOnce((round + caller) % 5 + 2);
    });
  for (std::thread& caller : callers) caller.join();
  expect(numRight == 35000, "tasks of seven callers");
}

void testNested() {
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> numRight{0};
    run(4, [&](int) { run(3, [&](int) { numRight += runsEachOnce(5); }); });
    expect(numRight == 12, "tasks that call");
  }
}

/** Phases of inference, of which each reads what the one before has written. More calls than threads come to help. */
void testPhases() {
  for (int round = 0; round < 500; ++round) {
    std::vector<int> numbers(8), sums(8);
    Phases phases;
    phases.add(8, [&](int, int64_t i) { numbers[i] = i + round; });
    for (int repeat = 0; repeat < 3; ++repeat) {
      phases.add(8, [&](int, int64_t i) { sums[i] = numbers[i] + numbers[7 - i]; });
      phases.add(8, [&](int, int64_t i) { numbers[i] = sums[(i + 3) % 8]; });
    }
    phases.prepare();
    run(6, [&](int thread) { phases.help(thread); });
    for (const int number : numbers) expect(number == 4 * (7 + 2 * round), "phases");
  }
}

/** Each task waits for the others, so each worker must come, and must round as the thread did that started it. */
void testOwnThreads() {
  std::atomic<int> numStarted{0}, numRight{0};
  run(numWorkers + 1, [&](int) {
    ++numStarted;
    while (numStarted <= numWorkers) std::this_thread::yield();
    numRight += std::fegetround() == FE_UPWARD;
  });
  expect(numRight == numWorkers, "rounding of each worker");
}

#ifdef __linux__
/** Waits until all other threads sleep, as the system says; without an end if one does not. */
void testSleep() {
  for (int numAwake = 1; numAwake > 0; usleep(1000)) {
    numAwake = 0;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
      if (thread.path().filename() == std::to_string(getpid())) continue;
      std::ifstream stat(thread.path() / "stat");
      std::string id, name, state;
      stat >> id >> name >> state;
      numAwake += state != "S";
    }
  }
}
#endif

}  // namespace

/** Arguments: the workers to start, and whether they stay awake. */
int main(int, char** arguments) {
  numWorkers = atoi(arguments[1]);
  std::fesetround(FE_UPWARD);
  workers = new Workers(numWorkers, !strcmp(arguments[2], "awake"));
  std::fesetround(FE_TONEAREST);
  testOneCaller();
  testCallers();
  testNested();
  testPhases();
#ifdef __linux__
  testSleep();
#endif
  testOwnThreads();
  // The workers are awake when the program ends.
  printf("ok\n");
}
