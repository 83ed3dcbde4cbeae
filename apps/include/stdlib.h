// Heap and number parsing, as the runtime provides them to freestanding programs (imports from module "env").
#pragma once
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
int atoi(const char *text);
long strtol(const char *text, char **end, int base);
unsigned long strtoul(const char *text, char **end, int base);
_Noreturn void exit(int code);

#ifdef __cplusplus
}
#endif
