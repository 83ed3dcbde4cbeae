// A client of the app request_handler: sends it four requests at once, and one that nobody answers. When all of them are
// over it publishes the event sender/result with the number of answers.

#include "wasm_app.h"
#include "wa-inc/request.h"

#define REQUESTS 5

static int answered, timed_out;

static void publish_result(void)
{
    attr_container_t *event = attr_container_create("sender");
    attr_container_set_int(&event, "answered", answered);
    attr_container_set_int(&event, "timed out", timed_out);
    api_publish_event("sender/result", FMT_ATTR_CONTAINER, event, attr_container_get_serialize_length(event));
    attr_container_destroy(event);
}

static void response_handler(response_t *response, void *user_data)
{
    const char *tag = user_data;
    if (response) {
        answered++;
        printf("%s: status %d, %d bytes\n", tag, response->status, response->payload_len);
        if (response->payload && response->fmt == FMT_ATTR_CONTAINER)
            attr_container_dump(response->payload);
    } else {
        timed_out++;
        printf("%s: nobody has answered\n", tag);
    }
    if (answered + timed_out == REQUESTS)
        publish_result();
}

static void send(char *url, int action, char *tag)
{
    request_t request[1];
    init_request(request, url, action, 0, NULL, 0);
    api_send_request(request, response_handler, tag);
}

void on_init(void)
{
    send("/app/request_handler/url1", COAP_PUT, "to an app");
    send("/url1", COAP_GET, "to whoever serves it");
    send("/nowhere", COAP_GET, "to nobody");
    send("/url2", COAP_GET, "limit");
    send("/url2", COAP_POST, "not allowed");
}
