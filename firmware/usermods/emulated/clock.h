// Where the emulated board has its time from.
#ifndef WAMR_CLOCK_H
#define WAMR_CLOCK_H

#include <stdint.h>

// Start the hardware timer behind clock_virtual_ns().
void clock_init(void);

// Nanoseconds of virtual time, in steps of 40 on Arm (wraps after 171 s) and 100 on RISC-V.
uint64_t clock_virtual_ns(void);

#endif
