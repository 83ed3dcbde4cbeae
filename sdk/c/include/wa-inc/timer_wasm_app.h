// Timers.
#pragma once
#include "bi-inc/shared_utils.h"
#ifdef __cplusplus
extern "C" {
#endif

struct user_timer;
typedef struct user_timer *user_timer_t;
typedef void (*on_user_timer_update_f)(user_timer_t timer);

// interval: ms. NULL: too many timers are running, or there is no memory.
user_timer_t api_timer_create(int interval, bool is_period, bool auto_start, on_user_timer_update_f on_timer_update);
// Stop a timer and remove it. One that fires only once stays until then, and can be started again.
void api_timer_cancel(user_timer_t timer);
// Start a timer, or start it anew. An interval of 0: the one it had.
void api_timer_restart(user_timer_t timer, int interval);

// ms since the board was started, which begin again from 0 after 49 days.
uint32 wasm_get_sys_tick_ms(void);

#ifdef __cplusplus
}
#endif
