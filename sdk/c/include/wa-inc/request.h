// Requests, responses and events between apps, and between apps and hosts.
#pragma once
#include "bi-inc/shared_utils.h"
#include "bi-inc/attr_container.h"
#ifdef __cplusplus
extern "C" {
#endif

// What is in the request is there until the handler returns.
typedef void (*request_handler_f)(request_t *request);
// response is NULL when nobody has answered within 5 seconds.
typedef void (*response_handler_f)(response_t *response, void *user_data);

// Handle the requests whose URL begins with `url`. Several such handlers: the newest one that fits counts. False: out of memory.
bool api_register_resource_handler(const char *url, request_handler_f handler);
// Send a request; any number of them may wait for their responses. handler may be NULL.
void api_send_request(request_t *request, response_handler_f handler, void *user_data);
void api_response_send(response_t *response);

bool api_publish_event(const char *url, int fmt, void *payload, int payload_len);
// Handle the events that are published with exactly this URL. False: out of memory.
bool api_subscribe_event(const char *url, request_handler_f handler);

// Some sources call this first; there is nothing to be done.
static inline void init_resource_register(void) {}

#ifdef __cplusplus
}
#endif
