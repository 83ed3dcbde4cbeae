// A server with two resources. /url1 answers with what it was sent; /url2 keeps a temperature limit that can be read, set and removed.

#include "wasm_app.h"
#include "wa-inc/request.h"

static double limit;
static bool has_limit;

static void answer(request_t *request, int status, attr_container_t *payload)
{
    response_t response[1];
    make_response_for_request(request, response);
    set_response(response, status, FMT_ATTR_CONTAINER, payload, attr_container_get_serialize_length(payload));
    api_response_send(response);
    attr_container_destroy(payload);
}

// Everything of the request, and how long its payload was.
static void url1_handler(request_t *request)
{
    attr_container_t *payload = attr_container_create("url1");
    attr_container_set_string(&payload, "url", request->url);
    attr_container_set_int(&payload, "action", request->action);
    attr_container_set_int(&payload, "payload", request->payload_len);
    if (request->payload && request->fmt == FMT_ATTR_CONTAINER)
        attr_container_dump(request->payload);
    answer(request, CONTENT_2_05, payload);
}

static void url2_handler(request_t *request)
{
    attr_container_t *payload = NULL;
    int status = METHOD_NOT_ALLOWED_4_05;
    if (request->action == COAP_GET) {
        status = has_limit ? CONTENT_2_05 : NOT_FOUND_4_04;
        if (has_limit) {
            payload = attr_container_create("");
            attr_container_set_double(&payload, "limit", limit);
        }
    } else if (request->action == COAP_PUT) {
        // Hosts send every number as a double.
        status = has_limit ? CHANGED_2_04 : CREATED_2_01;
        has_limit = request->fmt == FMT_ATTR_CONTAINER && attr_container_contain_key(request->payload, "limit");
        if (has_limit)
            limit = attr_container_get_as_double(request->payload, "limit");
        else
            status = BAD_REQUEST_4_00;
    } else if (request->action == COAP_DELETE) {
        status = DELETED_2_02;
        has_limit = false;
    }
    answer(request, status, payload);
}

void on_init(void)
{
    api_register_resource_handler("/url1", url1_handler);
    api_register_resource_handler("/url2", url2_handler);
}
