// The interrupts that the emulated board uses: UARTs, and a timer that ends a wait.
#ifndef WAMR_INTERRUPTS_H
#define WAMR_INTERRUPTS_H

#include <stdbool.h>
#include <stdint.h>

// Called once before main(), with all of them off.
void interrupts_init(void);

void interrupts_enable(unsigned irq, bool on);

uint32_t interrupts_off(void);
void interrupts_restore(uint32_t state);

// Sleep until an interrupt comes, one millisecond at most. To be called with interrupts off.
void interrupts_wait(void);

#endif
