// Clocks, as the runtime provides them to freestanding programs (imports from module "env").
#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1

typedef int64_t time_t;
typedef int64_t clock_t;

struct timespec {
    time_t tv_sec;
    int32_t tv_nsec;
};

// Seconds since 1970; *to gets them too unless it is null.
time_t time(time_t *to);
// Nanoseconds since the runtime started.
clock_t clock(void);
int clock_gettime(int clock, struct timespec *to);

#ifdef __cplusplus
}
#endif
