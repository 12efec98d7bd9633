// Objects that outlive an op, which other ops find by number.
#pragma once
#include <map>
#include <memory>
#include <mutex>

namespace ferkit {

template <class T>
class Registry {
 public:
  /** The one of this process. */
  static Registry& get() {
    static Registry registry;
    return registry;
  }
  int add(std::shared_ptr<T> object) {
    const std::lock_guard<std::mutex> lock(mutex_);
    objects_[++last_] = std::move(object);
    return last_;
  }
  /** Returns null if it was removed. */
  std::shared_ptr<T> find(int id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = objects_.find(id);
    return found == objects_.end() ? nullptr : found->second;
  }
  void remove(int id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    objects_.erase(id);
  }

 private:
  std::mutex mutex_;
  std::map<int, std::shared_ptr<T>> objects_;
  int last_ = 0;
};

}  // namespace ferkit
