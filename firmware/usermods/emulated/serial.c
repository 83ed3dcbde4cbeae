// Interrupt-driven UARTs. When a ring buffer is full its interrupt is masked and the byte stays in
// the UART, so the emulator holds the sender back: nothing is lost however slow the board is. (It
// is masked at the interrupt controller because the emulated STM32 UART keeps its request up when
// its own enable bit is cleared.)

#include "interrupts.h"
#include "serial.h"

#if defined(QEMU_SOC_STM32)

typedef struct {
    volatile uint32_t SR, DR, BRR, CR1;
} regs_t;
static regs_t *const regs[SERIAL_UNITS] = {(regs_t *)0x40011000, (regs_t *)0x40004400, (regs_t *)0x40004800};
const uint8_t serial_irq[SERIAL_UNITS] = {37, 38, 39}; // USART1, USART2, USART3

enum { CR1_RE = 1 << 2, CR1_TE = 1 << 3, CR1_RXNEIE = 1 << 5, CR1_UE = 1 << 13, SR_RXNE = 1 << 5 };

static void start(regs_t *uart) {
    uart->CR1 = CR1_UE | CR1_TE | CR1_RE | CR1_RXNEIE;
}

static int receive(regs_t *uart) {
    return uart->SR & SR_RXNE ? (int)(uart->DR & 0xFF) : -1;
}

static void send(regs_t *uart, uint8_t byte) {
    uart->DR = byte; // the emulated UART takes it at once
}

#elif defined(QEMU_SOC_MPS2)

typedef struct {
    volatile uint32_t DATA, STATE, CTRL, INTSTATUS, BAUDDIV;
} regs_t;
static regs_t *const regs[SERIAL_UNITS] = {(regs_t *)0x40004000, (regs_t *)0x40005000, (regs_t *)0x40006000};
const uint8_t serial_irq[SERIAL_UNITS] = {0, 2, 4};

enum { CTRL_TX = 1 << 0, CTRL_RX = 1 << 1, CTRL_RX_INT = 1 << 3, STATE_TXFULL = 1 << 0, STATE_RXFULL = 1 << 1 };

static void start(regs_t *uart) {
    uart->BAUDDIV = 16;
    uart->CTRL = CTRL_TX | CTRL_RX | CTRL_RX_INT;
}

static int receive(regs_t *uart) {
    uart->INTSTATUS = 2;
    return uart->STATE & STATE_RXFULL ? (int)uart->DATA : -1;
}

static void send(regs_t *uart, uint8_t byte) {
    while (uart->STATE & STATE_TXFULL) {
    }
    uart->DATA = byte;
}

#elif defined(QEMU_SOC_VIRT)

typedef struct {
    volatile uint8_t DATA, IER, FCR, LCR, MCR, LSR;
} regs_t;
static regs_t *const regs[SERIAL_UNITS] = {(regs_t *)0x10000000};
const uint8_t serial_irq[SERIAL_UNITS] = {10};

enum { IER_RX = 1 << 0, LSR_RX = 1 << 0, LSR_TX_EMPTY = 1 << 5 };

static void start(regs_t *uart) {
    uart->IER = IER_RX;
}

static int receive(regs_t *uart) {
    return uart->LSR & LSR_RX ? uart->DATA : -1;
}

static void send(regs_t *uart, uint8_t byte) {
    while (!(uart->LSR & LSR_TX_EMPTY)) {
    }
    uart->DATA = byte;
}

#endif

// `head` is where the next byte is written, `tail` where it is read; equal means empty, so one
// place is never used.
static struct {
    uint8_t *buf;
    size_t size;
    volatile size_t head, tail;
    volatile bool held; // the receive interrupt is off because the buffer is full
} rings[SERIAL_UNITS];

static size_t next(unsigned unit, size_t index) {
    return index + 1 == rings[unit].size ? 0 : index + 1;
}

// Let the interrupt come, and take what came before: that raised none.
static void resume(unsigned unit) {
    uint32_t state = interrupts_off();
    rings[unit].held = false;
    interrupts_enable(serial_irq[unit], true);
    serial_interrupt(unit);
    interrupts_restore(state);
}

void serial_open(unsigned unit, uint8_t *buf, size_t size) {
    interrupts_enable(serial_irq[unit], false);
    rings[unit].buf = buf;
    rings[unit].size = size;
    rings[unit].head = rings[unit].tail = 0;
    start(regs[unit]);
    resume(unit);
}

void serial_close(unsigned unit) {
    interrupts_enable(serial_irq[unit], false);
    rings[unit].head = rings[unit].tail = 0;
    rings[unit].buf = NULL;
}

void serial_interrupt(unsigned unit) {
    for (;;) {
        size_t after = next(unit, rings[unit].head);
        if (after == rings[unit].tail) {
            rings[unit].held = true;
            interrupts_enable(serial_irq[unit], false);
            return;
        }
        int byte = receive(regs[unit]);
        if (byte < 0) {
            return;
        }
        if (unit != 0 || !console_intercepts(byte)) {
            rings[unit].buf[rings[unit].head] = byte;
            rings[unit].head = after;
        }
    }
}

size_t serial_any(unsigned unit) {
    size_t head = rings[unit].head;
    size_t tail = rings[unit].tail;
    return head >= tail ? head - tail : head + rings[unit].size - tail;
}

int serial_get(unsigned unit) {
    size_t tail = rings[unit].tail;
    if (tail == rings[unit].head) {
        return -1;
    }
    int byte = rings[unit].buf[tail];
    rings[unit].tail = next(unit, tail);
    // Go on only when the buffer is empty, so that a stream at full speed does not switch at every
    // byte.
    if (rings[unit].held && serial_any(unit) == 0) {
        resume(unit);
    }
    return byte;
}

void serial_put(unsigned unit, const uint8_t *buf, size_t size) {
    while (size--) {
        send(regs[unit], *buf++);
    }
}
