// Subscribes to the event alert/overheat and prints it. GET /overheats tells how many there were, and what the last one said.

#include "wasm_app.h"
#include "wa-inc/request.h"

static int events;
static request_t *last;

static void over_heat_event_handler(request_t *event)
{
    printf("event %s from app %lu\n", event->url, event->sender);
    if (event->payload && event->fmt == FMT_ATTR_CONTAINER)
        attr_container_dump(event->payload);
    events++;
    // The event is gone when this returns: keep a copy.
    if (last)
        request_cleaner(last);
    last = clone_request(event);
}

static void overheats_handler(request_t *request)
{
    response_t response[1];
    attr_container_t *payload = attr_container_create("overheats");
    attr_container_set_int(&payload, "events", events);
    if (last && last->payload)
        attr_container_set_string(&payload, "warning", attr_container_get_as_string(last->payload, "warning"));
    make_response_for_request(request, response);
    set_response(response, CONTENT_2_05, FMT_ATTR_CONTAINER, payload, attr_container_get_serialize_length(payload));
    api_response_send(response);
    attr_container_destroy(payload);
}

void on_init(void)
{
    api_subscribe_event("alert/overheat", over_heat_event_handler);
    api_register_resource_handler("/overheats", overheats_handler);
}
