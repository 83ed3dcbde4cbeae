// Requests and events that come in: which handler gets them. Responses and events that go out.
#include "wa-inc/request.h"

WAMR_EXPORT(on_request) void on_request(char *packet, int size);
void wasm_register_resource(const char *url);
void wasm_sub_event(const char *url);

typedef struct handler {
    struct handler *next;
    request_handler_f call;
    bool is_event;
    char url[];
} handler_t;

static handler_t *handlers; // newest first

// Adds a handler, or replaces the one for the same URL. The board is told when it is new.
static bool add(const char *url, request_handler_f call, bool is_event)
{
    handler_t *handler = handlers;
    while (handler && (handler->is_event != is_event || strcmp(handler->url, url)))
        handler = handler->next;
    if (handler) {
        handler->call = call;
        return true;
    }
    unsigned size = strlen(url) + 1;
    handler = malloc(sizeof *handler + size);
    if (!handler)
        return false;
    handler->call = call;
    handler->is_event = is_event;
    memcpy(handler->url, url, size);
    handler->next = handlers;
    handlers = handler;
    if (is_event)
        wasm_sub_event(url);
    else
        wasm_register_resource(url);
    return true;
}

bool api_register_resource_handler(const char *url, request_handler_f handler)
{
    return add(url, handler, false);
}

bool api_subscribe_event(const char *url, request_handler_f handler)
{
    return add(url, handler, true);
}

void on_request(char *packet, int size)
{
    request_t request[1];
    if (!unpack_request(packet, size, request))
        return;
    int url_len = strlen(request->url);
    for (handler_t *handler = handlers; handler; handler = handler->next)
        if (handler->is_event == is_event_type(request) && check_url_start(request->url, url_len, handler->url)) {
            handler->call(request);
            return;
        }
    puts("on_request: exit. no service handler");
}
