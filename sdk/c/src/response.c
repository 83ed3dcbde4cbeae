// Sending responses.
#include "wa-inc/request.h"

int wasm_response_send(const char *packet, int size);

void api_response_send(response_t *response)
{
    int size;
    char *packet = pack_response(response, &size);
    if (packet)
        wasm_response_send(packet, size);
    free_req_resp_packet(packet);
}
