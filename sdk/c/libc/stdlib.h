// Heap, parsing of numbers, sorting and the end of the program, as the runtime provides them to freestanding programs (imports from module "env").
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
void qsort(void *first, size_t count, size_t size, int (*compare)(const void *a, const void *b));
void *bsearch(const void *key, const void *first, size_t count, size_t size,
              int (*compare)(const void *key, const void *item));
__attribute__((noreturn)) void exit(int code);
__attribute__((noreturn)) void abort(void);

#ifdef __cplusplus
}
#endif
