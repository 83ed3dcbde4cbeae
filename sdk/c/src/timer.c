// Timers, numbered by the board.
#include "wa-inc/timer_wasm_app.h"

WAMR_EXPORT(on_timer_callback) void on_timer_callback(int id);
int wasm_create_timer(int interval, int periodic, int start);
void wasm_timer_destroy(int id);
void wasm_timer_restart(int id, int interval);

struct user_timer {
    struct user_timer *next;
    int timer_id;
    on_user_timer_update_f on_timer_update;
};

static user_timer_t timers;

user_timer_t api_timer_create(int interval, bool is_period, bool auto_start, on_user_timer_update_f on_timer_update)
{
    user_timer_t timer = malloc(sizeof *timer);
    if (!timer)
        return NULL;
    timer->timer_id = wasm_create_timer(interval, is_period, auto_start);
    if (timer->timer_id < 0) {
        free(timer);
        return NULL;
    }
    timer->on_timer_update = on_timer_update;
    timer->next = timers;
    timers = timer;
    return timer;
}

// Where the list has this timer; where it ends, if it has been cancelled.
static user_timer_t *find(user_timer_t timer)
{
    user_timer_t *place = &timers;
    while (*place && *place != timer)
        place = &(*place)->next;
    return place;
}

void api_timer_cancel(user_timer_t timer)
{
    user_timer_t *place = find(timer);
    if (!*place)
        return;
    *place = timer->next;
    // Not only stopped, so that it does not count among the app's timers any more.
    wasm_timer_destroy(timer->timer_id);
    free(timer);
}

void api_timer_restart(user_timer_t timer, int interval)
{
    if (*find(timer))
        wasm_timer_restart(timer->timer_id, interval);
}

void on_timer_callback(int id)
{
    for (user_timer_t timer = timers; timer; timer = timer->next)
        if (timer->timer_id == id) {
            timer->on_timer_update(timer);
            return;
        }
}
