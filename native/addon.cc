// The addon. Loading it registers the ops with TensorFlow's runtime; it exports what the processor can run.
#include <node_api.h>

#include "processor.h"

NAPI_MODULE_INIT() {
  napi_value instructionSet, hasBfloat16;
  const char* found = ferkit::instructionSet();
  const napi_status status = found ? napi_create_string_utf8(env, found, NAPI_AUTO_LENGTH, &instructionSet)
                                   : napi_get_null(env, &instructionSet);
  if (status == napi_ok) napi_set_named_property(env, exports, "instructionSet", instructionSet);
  if (napi_get_boolean(env, found && ferkit::hasBfloat16(), &hasBfloat16) == napi_ok)
    napi_set_named_property(env, exports, "hasBfloat16", hasBfloat16);
  return exports;
}
