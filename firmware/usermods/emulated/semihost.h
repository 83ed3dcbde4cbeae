// Calls that the emulated processor makes to the program that emulates it (Arm's semihosting,
// which RISC-V shares).
#ifndef WAMR_SEMIHOST_H
#define WAMR_SEMIHOST_H

#include <stdint.h>

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_SEEK = 0x0A,
    SYS_FLEN = 0x0C,
    SYS_TIME = 0x11,
    SYS_GET_CMDLINE = 0x15,
    SYS_ELAPSED = 0x30,
};

intptr_t semihost_call(uint32_t operation, const void *arguments);

// Open a file of the host with a mode of fopen() by its number in the semihosting specification;
// -1 if it cannot be.
enum { OPEN_READ = 1, OPEN_UPDATE = 3, OPEN_CREATE = 7 };
intptr_t semihost_open(const char *path, uint32_t mode);

#endif
