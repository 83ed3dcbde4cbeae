// @NAME@: publishes the event @NAME@/tick, and answers requests to /@NAME@.
//
//   GET  how many ticks there were, and how many ms are between them
//   PUT  {"interval": 500} sets that

#include "wasm_app.h"

static int ticks;
static int interval = 1000;
static user_timer_t timer;

static attr_container_t *describe(void)
{
    attr_container_t *state = attr_container_create("@NAME@");
    attr_container_set_int(&state, "ticks", ticks);
    attr_container_set_int(&state, "interval", interval);
    return state;
}

static void on_tick(user_timer_t fired)
{
    (void)fired;
    ticks++;
    attr_container_t *event = describe();
    api_publish_event("@NAME@/tick", FMT_ATTR_CONTAINER, event, attr_container_get_serialize_length(event));
    attr_container_destroy(event);
}

static void on_url(request_t *request)
{
    response_t response[1];
    attr_container_t *payload = NULL;
    int status = METHOD_NOT_ALLOWED_4_05;
    if (request->action == COAP_GET) {
        payload = describe();
        status = CONTENT_2_05;
    } else if (request->action == COAP_PUT) {
        // Hosts send every number as a double.
        int ms = 0;
        if (request->payload && request->fmt == FMT_ATTR_CONTAINER)
            ms = (int)attr_container_get_as_double(request->payload, "interval");
        status = ms > 0 ? CHANGED_2_04 : BAD_REQUEST_4_00;
        if (ms > 0) {
            interval = ms;
            api_timer_restart(timer, ms);
        }
    }
    make_response_for_request(request, response);
    set_response(response, status, FMT_ATTR_CONTAINER, payload, attr_container_get_serialize_length(payload));
    api_response_send(response);
    attr_container_destroy(payload);
}

void on_init(void)
{
    timer = api_timer_create(interval, true, true, on_tick);
    api_register_resource_handler("/@NAME@", on_url);
}
