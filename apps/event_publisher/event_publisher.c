// Publishes the event alert/overheat every two seconds, with an attribute of every type; PUT /interval sets how often.

#include "wasm_app.h"
#include "wa-inc/request.h"
#include "wa-inc/timer_wasm_app.h"

static user_timer_t timer;
static short count;

static void publish_overheat_event(user_timer_t fired)
{
    static const int8_t levels[] = { 3, -4, 5 };
    (void)fired;
    count++;

    attr_container_t *event = attr_container_create("event");
    attr_container_set_string(&event, "warning", "temperature is over high");
    attr_container_set_short(&event, "count", count);
    attr_container_set_byte(&event, "level", -1);
    attr_container_set_uint16(&event, "room", 65535);
    attr_container_set_int(&event, "uptime", 2 * count);
    attr_container_set_int64(&event, "serial", 0x123456789ABC);
    attr_container_set_float(&event, "value", 30 + 0.5f * count);
    attr_container_set_double(&event, "mean", 30.1);
    attr_container_set_bool(&event, "urgent", count > 2);
    attr_container_set_bytearray(&event, "levels", levels, sizeof levels);
    api_publish_event("alert/overheat", FMT_ATTR_CONTAINER, event, attr_container_get_serialize_length(event));
    attr_container_destroy(event);
}

static void interval_handler(request_t *request)
{
    response_t response[1];
    int ms = 0;
    if (request->action == COAP_PUT && request->fmt == FMT_ATTR_CONTAINER)
        ms = (int)attr_container_get_as_double(request->payload, "ms");
    if (ms > 0)
        api_timer_restart(timer, ms);
    make_response_for_request(request, response);
    set_response(response, ms > 0 ? CHANGED_2_04 : BAD_REQUEST_4_00, 0, NULL, 0);
    api_response_send(response);
}

void on_init(void)
{
    timer = api_timer_create(2000, true, true, publish_overheat_event);
    api_register_resource_handler("/interval", interval_handler);
}
