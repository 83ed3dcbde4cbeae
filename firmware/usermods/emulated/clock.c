// The time functions that MicroPython asks a port for. The time of day and the ticks are the
// host's, by semihosting, so they are right on every machine and under -icount; a hardware timer
// gives virtual time, which counts instructions there.

#include "py/mphal.h"
#include "py/runtime.h"
#include "clock.h"
#include "semihost.h"

#if defined(QEMU_SOC_STM32)

// TIM2 as QEMU has it counts nanoseconds; its divider makes that steps of 40, and 32 bits last for
// 171 s.
typedef struct {
    volatile uint32_t CR1, CR2, SMCR, DIER, SR, EGR, CCMR1, CCMR2, CCER, CNT, PSC, ARR;
} timer_t;
#define TIMER ((timer_t *)0x40000000)

void clock_init(void) {
    TIMER->PSC = 40 - 1;
    TIMER->ARR = 0xFFFFFFFF;
    TIMER->CR1 = 1;
    TIMER->EGR = 1;
}

uint64_t clock_virtual_ns(void) {
    return TIMER->CNT * 40ULL;
}

#elif defined(QEMU_SOC_MPS2)

// The first CMSDK timer counts down at 25 MHz.
typedef struct {
    volatile uint32_t CTRL, VALUE, RELOAD;
} timer_t;
#define TIMER ((timer_t *)0x40000000)

void clock_init(void) {
    TIMER->RELOAD = 0xFFFFFFFF;
    TIMER->CTRL = 1;
}

uint64_t clock_virtual_ns(void) {
    return (0xFFFFFFFF - TIMER->VALUE) * 40ULL;
}

#elif defined(QEMU_SOC_VIRT)

// The machine timer runs at 10 MHz from the start.
#define MTIME ((volatile uint32_t *)0x0200BFF8)

void clock_init(void) {
}

uint64_t clock_virtual_ns(void) {
    uint32_t low, high;
    do {
        high = MTIME[1];
        low = MTIME[0];
    } while (high != MTIME[1]);
    return (((uint64_t)high << 32) | low) * 100;
}

#endif

// Nanoseconds since the emulator was started.
static uint64_t elapsed_ns(void) {
    uint64_t elapsed = 0;
    semihost_call(SYS_ELAPSED, &elapsed);
    return elapsed;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return elapsed_ns();
}

mp_uint_t mp_hal_ticks_us(void) {
    return elapsed_ns() / 1000;
}

mp_uint_t mp_hal_ticks_ms(void) {
    return elapsed_ns() / 1000000;
}

// The host tells the time of day in whole seconds; the fraction goes on from where the first look
// found it.
uint64_t mp_hal_time_ns(void) {
    static uint64_t started_ns;
    uint64_t elapsed = elapsed_ns();
    if (started_ns == 0) {
        started_ns = (uint64_t)(uint32_t)semihost_call(SYS_TIME, NULL) * 1000000000 - elapsed;
    }
    return started_ns + elapsed;
}

void mp_hal_delay_us(mp_uint_t us) {
    for (uint64_t end = elapsed_ns() + us * 1000ULL; elapsed_ns() < end;) {
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    mp_uint_t start = mp_hal_ticks_ms();
    do {
        mp_event_wait_ms(1);
    } while (mp_hal_ticks_ms() - start < ms);
}
