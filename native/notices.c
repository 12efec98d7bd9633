// What is needed before TensorFlow's library is loaded: whether the processor can run it at all, and a way to hold back what it prints
// on standard error. Its static initialisers print notices before any setting applies, so only the file descriptor itself can be
// redirected; on a processor without AVX they end the process.
#define _GNU_SOURCE
#include <node_api.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int kept = -1;  // standard error as it was
static int held = -1;  // what is printed meanwhile

/** Returns a file without a name, or -1. */
static int OpenHidden(void) {
#ifdef __linux__
  return memfd_create("ferkit-notices", MFD_CLOEXEC);
#else
  FILE* file = tmpfile();
  if (file == NULL) return -1;
  const int descriptor = dup(fileno(file));
  fclose(file);
  return descriptor;
#endif
}

static napi_value Hold(napi_env env, napi_callback_info info) {
  (void)info;
  if (kept < 0) {
    held = OpenHidden();
    kept = held < 0 ? -1 : dup(STDERR_FILENO);
    if (kept >= 0) dup2(held, STDERR_FILENO);
  }
  napi_value result;
  napi_get_boolean(env, kept >= 0, &result);
  return result;
}

static napi_value Release(napi_env env, napi_callback_info info) {
  (void)info;
  char* text = NULL;
  size_t length = 0;
  if (kept >= 0) {
    dup2(kept, STDERR_FILENO);
    struct stat state;
    if (fstat(held, &state) == 0 && state.st_size > 0 && (text = malloc((size_t)state.st_size)) != NULL) {
      ssize_t count = pread(held, text, (size_t)state.st_size, 0);
      length = count > 0 ? (size_t)count : 0;
    }
    close(kept);
  }
  if (held >= 0) close(held);
  kept = held = -1;
  napi_value result;
  napi_create_string_utf8(env, text ? text : "", length, &result);
  free(text);
  return result;
}

static bool RunsTensorFlow(void) {
#ifdef __x86_64__
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx");
#else
  return true;
#endif
}

static napi_value Init(napi_env env, napi_value exports) {
  napi_value function, runs;
  napi_get_boolean(env, RunsTensorFlow(), &runs);
  napi_set_named_property(env, exports, "runsTensorFlow", runs);
  napi_create_function(env, "hold", NAPI_AUTO_LENGTH, Hold, NULL, &function);
  napi_set_named_property(env, exports, "hold", function);
  napi_create_function(env, "release", NAPI_AUTO_LENGTH, Release, NULL, &function);
  napi_set_named_property(env, exports, "release", function);
  return exports;
}

NAPI_MODULE(ferkit_notices, Init)
