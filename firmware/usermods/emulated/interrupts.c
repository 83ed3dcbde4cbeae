// Interrupts on Cortex-M and RISC-V. The port itself uses none and treats each as a fatal error,
// so the tables are our own; what is not ours goes to its handlers as before.

#include "interrupts.h"
#include "serial.h"

#if defined(__thumb__)

#define SYST_CSR (*(volatile uint32_t *)0xE000E010)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018)
#define NVIC_ISER ((volatile uint32_t *)0xE000E100)
#define NVIC_ICER ((volatile uint32_t *)0xE000E180)
#define SCB_ICSR (*(volatile uint32_t *)0xE000ED04)
#define SCB_VTOR (*(volatile uint32_t *)0xE000ED08)
#define SCB_CPACR (*(volatile uint32_t *)0xE000ED88)

enum { EXCEPTIONS = 16, IRQS = 40 };

extern const uint32_t isr_vector[EXCEPTIONS];

static uint32_t vectors[EXCEPTIONS + IRQS] __attribute__((aligned(256)));

// It only ends a wait.
static void tick_handler(void) {
}

static void uart_handler(void) {
    unsigned irq = (SCB_ICSR & 0x1FF) - EXCEPTIONS;
    for (unsigned unit = 0; unit < SERIAL_UNITS; ++unit) {
        if (serial_irq[unit] == irq) {
            serial_interrupt(unit);
        }
    }
}

void interrupts_init(void) {
    #if defined(__ARM_FP)
    SCB_CPACR |= 0xF << 20; // the FPU is off after reset
    __asm volatile ("dsb\nisb");
    #endif
    for (unsigned i = 0; i < EXCEPTIONS; ++i) {
        vectors[i] = isr_vector[i];
    }
    vectors[15] = (uint32_t)tick_handler;
    for (unsigned unit = 0; unit < SERIAL_UNITS; ++unit) {
        vectors[EXCEPTIONS + serial_irq[unit]] = (uint32_t)uart_handler;
    }
    SCB_VTOR = (uint32_t)vectors;
}

void interrupts_enable(unsigned irq, bool on) {
    (on ? NVIC_ISER : NVIC_ICER)[irq / 32] = 1 << irq % 32;
}

uint32_t interrupts_off(void) {
    uint32_t state;
    __asm volatile ("mrs %0, primask\n cpsid i" : "=r" (state) : : "memory");
    return state;
}

void interrupts_restore(uint32_t state) {
    __asm volatile ("msr primask, %0" : : "r" (state) : "memory");
}

void interrupts_wait(void) {
    #if defined(QEMU_SOC_STM32)
    SYST_RVR = 168000 - 1;
    #else
    SYST_RVR = 25000 - 1;
    #endif
    SYST_CVR = 0;
    SYST_CSR = 7;
    __asm volatile ("wfi");
    SYST_CSR = 0;
    SCB_ICSR = 1 << 25; // forget a tick that came while interrupts were off
}

#else

#define PLIC_PRIORITY ((volatile uint32_t *)0x0C000000)
#define PLIC_ENABLE ((volatile uint32_t *)0x0C002000)
#define PLIC_CLAIM (*(volatile uint32_t *)0x0C200004)
#define MTIME ((volatile uint32_t *)0x0200BFF8)
#define MTIMECMP ((volatile uint32_t *)0x02004000)

enum { MIE_MTIE = 1 << 7, MIE_MEIE = 1 << 11, MSTATUS_MIE = 1 << 3 };

static __attribute__((interrupt("machine"), used)) void external_interrupt(void) {
    uint32_t irq = PLIC_CLAIM;
    // Completed first, because a source that is masked meanwhile cannot be completed any more.
    PLIC_CLAIM = irq;
    if (irq == serial_irq[0]) {
        serial_interrupt(0);
    }
}

// The timer's interrupt is only enabled while interrupts are off as a whole, so what comes here is
// external or an exception, and the port's handler for the latter wants to see the registers as
// they were.
static __attribute__((naked, aligned(4))) void trap_entry(void) {
    __asm volatile (
        "csrw mscratch, t0         \n"
        "csrr t0, mcause           \n"
        "bltz t0, 1f               \n"
        "csrr t0, mscratch         \n"
        "j    mtvec_exception      \n"
        "1:                        \n"
        "csrr t0, mscratch         \n"
        "j    external_interrupt   \n"
        );
}

void interrupts_init(void) {
    __asm volatile ("csrw mtvec, %0" : : "r" (trap_entry));
    __asm volatile ("csrw mie, %0" : : "r" (MIE_MEIE));
    __asm volatile ("csrsi mstatus, %0" : : "i" (MSTATUS_MIE));
}

void interrupts_enable(unsigned irq, bool on) {
    PLIC_PRIORITY[irq] = 1;
    PLIC_ENABLE[0] = on ? PLIC_ENABLE[0] | 1 << irq : PLIC_ENABLE[0] & ~(1 << irq);
}

uint32_t interrupts_off(void) {
    uint32_t state;
    __asm volatile ("csrrci %0, mstatus, %1" : "=r" (state) : "i" (MSTATUS_MIE) : "memory");
    return state & MSTATUS_MIE;
}

void interrupts_restore(uint32_t state) {
    __asm volatile ("csrs mstatus, %0" : : "r" (state) : "memory");
}

void interrupts_wait(void) {
    uint32_t low = MTIME[0];
    uint32_t high = MTIME[1];
    MTIMECMP[1] = 0xFFFFFFFF;
    MTIMECMP[0] = low + 10000;
    MTIMECMP[1] = low + 10000 < low ? high + 1 : high;
    __asm volatile ("csrs mie, %0\n wfi\n csrc mie, %0" : : "r" (MIE_MTIE) : "memory");
}

#endif
