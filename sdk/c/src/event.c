// Publishing events.
#include "wa-inc/request.h"

void wasm_post_request(const char *packet, int size);

bool api_publish_event(const char *url, int fmt, void *payload, int payload_len)
{
    int size;
    request_t request[1];
    request->sender = 0;
    char *packet = pack_request(init_request(request, (char *)url, COAP_EVENT, fmt, payload, payload_len), &size);
    if (!packet)
        return false;
    wasm_post_request(packet, size);
    free_req_resp_packet(packet);
    return true;
}
