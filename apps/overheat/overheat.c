// A publisher: a timer publishes the event alert/overheat every second.
//
// The sample of WAMR's first README. Added are the include and the declaration of num.

#include "wasm_app.h"

static int num;

/* Timer callback */
void timer_update(user_timer_t timer)
{
  attr_container_t *event;
  printf("Timer update %d\n", num++);

  event = attr_container_create("event");
  attr_container_set_string(&event,
          "warning",
          "temperature is over high");

  api_publish_event("alert/overheat",
          FMT_ATTR_CONTAINER,
          event,
          attr_container_get_serialize_length(event));

  attr_container_destroy(event);
}
void on_init()
{
    user_timer_t timer;
    timer = api_timer_create(1000, true, true, timer_update);
}
