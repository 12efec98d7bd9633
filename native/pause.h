// What a thread does while it waits for others that are about to end.
#pragma once

namespace ferkit {

/** Lets the other thread of the core work for some cycles. */
inline void pauseThread() {
#ifdef __aarch64__
  asm volatile("isb");  // `yield` does nothing on most processors
#else
  __builtin_ia32_pause();
#endif
}

}  // namespace ferkit
