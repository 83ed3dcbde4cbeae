// Counts seconds. After five of them the periodic timer ends, and one that fires only once begins again.

#include "wasm_app.h"
#include "wa-inc/timer_wasm_app.h"

static int num;

static void update(user_timer_t timer);

static void start(user_timer_t fired)
{
    user_timer_t timer = api_timer_create(1000, true, false, update);
    if (fired) {
        printf("Timer fired once, after %d updates\n", num);
        api_timer_cancel(fired);
    }
    if (timer)
        api_timer_restart(timer, 1000);
    else
        puts("no timer left");
}

static void update(user_timer_t timer)
{
    printf("Timer update %d\n", ++num);
    if (num % 5 == 0) {
        api_timer_cancel(timer);
        api_timer_create(2500, false, true, start);
    }
}

void on_init(void)
{
    start(NULL);
}

void on_destroy(void)
{
    puts("on_destroy");
}
