// Comparing strings whatever their case, as the runtime provides it to freestanding programs (imports from module "env").
#pragma once
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif

int strncasecmp(const char *a, const char *b, size_t size);

#ifdef __cplusplus
}
#endif
