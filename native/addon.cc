// The addon. Loading it registers the ops with TensorFlow's runtime; its one export names the instruction set of the kernels.
#include <node_api.h>

#include "processor.h"

NAPI_MODULE_INIT() {
  napi_value instructionSet;
  const char* found = ferkit::instructionSet();
  const napi_status status = found ? napi_create_string_utf8(env, found, NAPI_AUTO_LENGTH, &instructionSet)
                                   : napi_get_null(env, &instructionSet);
  if (status == napi_ok) napi_set_named_property(env, exports, "instructionSet", instructionSet);
  return exports;
}
