// How many cores the process may use.
#pragma once
#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <cmath>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <sstream>
#include <string>
#include <thread>

namespace ferkit {

/** Returns quota / period, the two numbers that these files hold; infinity if a file or a limit is missing. */
inline double readQuota(std::initializer_list<std::string> files) {
  std::stringstream numbers;
  for (const std::string& file : files) {
    std::string line;
    std::getline(std::ifstream(file), line);
    numbers << line << ' ';
  }
  double quota, period;
  const bool isLimited = numbers >> quota >> period && quota > 0 && period > 0;
  return isLimited ? quota / period : std::numeric_limits<double>::infinity();
}

/**
 * Returns the cores' worth of time that the limits of containers and services (control groups) allow, such as 1.5; infinity without a limit.
 * `root` is for tests.
 */
inline double cpuQuota(const std::string& root = "") {
  double smallest = std::numeric_limits<double>::infinity();
  std::ifstream groups(root + "/proc/self/cgroup");
  // A line is number:controllers:path. Version 2 names no controllers.
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
    const bool isVersion2 = controllers == ",,";
    if (!isVersion2 && controllers.find(",cpu,") == std::string::npos) continue;
    const std::string top = root + "/sys/fs/cgroup" + (isVersion2 ? "" : "/cpu");
    // The limits of the groups above count, too. What a container mounts at the top may be its own group, so the path need not exist.
    for (std::string path = line.substr(second + 1);; path.resize(path.rfind('/'))) {
      const std::string folder = top + path;
      const double quota = isVersion2 ? readQuota({folder + "/cpu.max"})
                                      : readQuota({folder + "/cpu.cfs_quota_us", folder + "/cpu.cfs_period_us"});
      smallest = std::fmin(smallest, quota);
      if (path.find('/') == std::string::npos) break;
    }
  }
  return smallest;
}

/** Returns the number of cores that the calling thread may run on. */
inline int numCoresAllowed() {
#ifdef __linux__
  cpu_set_t cores;
  // Fails if there are more than 1,024.
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return CPU_COUNT(&cores);
#endif
  return std::max(1, (int)std::thread::hardware_concurrency());
}

/** Returns how many cores the process may keep busy. */
inline double availableCores() { return std::fmin(numCoresAllowed(), cpuQuota()); }

}  // namespace ferkit
