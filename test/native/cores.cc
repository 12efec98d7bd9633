// A program for cores.test.ts: prints the quota that the control groups in a folder allow, and the cores that a thread with one core may use.
#include "../../native/cores.h"

#include <cstdio>

int main(int, char** arguments) {
#ifdef __linux__
  cpu_set_t cores, one;
  CPU_ZERO(&one);
  sched_getaffinity(0, sizeof cores, &cores);
  for (int core = 0; core < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++core)
    if (CPU_ISSET(core, &cores)) CPU_SET(core, &one);
  sched_setaffinity(0, sizeof one, &one);
#endif
  printf("%g %d\n", ferkit::cpuQuota(arguments[1]), ferkit::numCoresAllowed());
}
