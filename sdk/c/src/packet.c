// Requests and responses as bytes: what travels between apps and hosts, in network byte order.
#include "bi-inc/shared_utils.h"

#define REQUEST_HEAD 18 // version, action, fmt, mid, sender, url_len, payload_len
#define RESPONSE_HEAD 16 // version, status, fmt, mid, receiver, payload_len
#define VERSION 1

typedef struct __attribute__((packed)) { uint16_t value; } unaligned16_t;
typedef struct __attribute__((packed)) { uint32_t value; } unaligned32_t;

static uint32 get(const char *at)
{
    return __builtin_bswap32(((unaligned32_t *)at)->value);
}

static uint16 get16(const char *at)
{
    return __builtin_bswap16(((unaligned16_t *)at)->value);
}

static void put(char *at, uint32 value)
{
    ((unaligned32_t *)at)->value = __builtin_bswap32(value);
}

static void put16(char *at, uint16 value)
{
    ((unaligned16_t *)at)->value = __builtin_bswap16(value);
}

request_t *init_request(request_t *request, char *url, int action, int fmt, void *payload, int payload_len)
{
    static uint32 last_mid;
    request->url = url;
    request->action = action;
    request->fmt = fmt;
    request->payload = payload;
    request->payload_len = payload_len;
    request->mid = ++last_mid;
    return request;
}

response_t *make_response_for_request(request_t *request, response_t *response)
{
    response->mid = request->mid;
    response->reciever = request->sender;
    return response;
}

response_t *set_response(response_t *response, int status, int fmt, const void *payload, int payload_len)
{
    response->status = status;
    response->fmt = fmt;
    response->payload = (void *)payload;
    response->payload_len = payload_len;
    return response;
}

// The part that both begin with, in a block for all.
static char *pack(unsigned size, int kind, int fmt, uint32 mid, uint32 peer)
{
    char *packet = malloc(size);
    if (packet) {
        packet[0] = VERSION;
        packet[1] = kind;
        put16(packet + 2, fmt);
        put(packet + 4, mid);
        put(packet + 8, peer);
    }
    return packet;
}

char *pack_request(request_t *request, int *size)
{
    unsigned url_len = strlen(request->url) + 1;
    unsigned payload_len = request->payload ? request->payload_len : 0;
    *size = REQUEST_HEAD + url_len + payload_len;
    char *packet = pack(*size, request->action, request->fmt, request->mid, request->sender);
    if (!packet)
        return NULL;
    put16(packet + 12, url_len);
    put(packet + 14, payload_len);
    memcpy(packet + REQUEST_HEAD, request->url, url_len);
    memcpy(packet + REQUEST_HEAD + url_len, request->payload, payload_len);
    return packet;
}

char *pack_response(response_t *response, int *size)
{
    unsigned payload_len = response->payload ? response->payload_len : 0;
    *size = RESPONSE_HEAD + payload_len;
    char *packet = pack(*size, response->status, response->fmt, response->mid, response->reciever);
    if (!packet)
        return NULL;
    put(packet + 12, payload_len);
    memcpy(packet + RESPONSE_HEAD, response->payload, payload_len);
    return packet;
}

void free_req_resp_packet(char *packet)
{
    free(packet);
}

request_t *unpack_request(char *packet, int size, request_t *request)
{
    if (size < REQUEST_HEAD || packet[0] != VERSION)
        return NULL;
    unsigned url_len = get16(packet + 12), payload_len = get(packet + 14);
    unsigned rest = size - REQUEST_HEAD;
    if (!url_len || url_len > rest || payload_len != rest - url_len || packet[REQUEST_HEAD + url_len - 1])
        return NULL;
    request->action = (uint8)packet[1];
    request->fmt = get16(packet + 2);
    request->mid = get(packet + 4);
    request->sender = get(packet + 8);
    request->url = packet + REQUEST_HEAD;
    request->payload_len = payload_len;
    request->payload = payload_len ? request->url + url_len : NULL;
    return request;
}

response_t *unpack_response(char *packet, int size, response_t *response)
{
    if (size < RESPONSE_HEAD || packet[0] != VERSION || get(packet + 12) != (unsigned)size - RESPONSE_HEAD)
        return NULL;
    response->status = (uint8)packet[1];
    response->fmt = get16(packet + 2);
    response->mid = get(packet + 4);
    response->reciever = get(packet + 8);
    response->payload_len = size - RESPONSE_HEAD;
    response->payload = response->payload_len ? packet + RESPONSE_HEAD : NULL;
    return response;
}

// A copy of `head_size` bytes, with room for the payload and the text behind it.
static char *clone(const void *head, unsigned head_size, void **payload, int payload_len, char **text)
{
    unsigned text_size = text ? strlen(*text) + 1 : 0;
    if (!*payload)
        payload_len = 0;
    char *block = malloc(head_size + payload_len + text_size);
    if (!block)
        return NULL;
    char *at = block + head_size;
    if (payload_len)
        *payload = memcpy(at, *payload, payload_len);
    if (text)
        *text = memcpy(at + payload_len, *text, text_size);
    return memcpy(block, head, head_size);
}

request_t *clone_request(request_t *request)
{
    request_t copy = *request;
    char *block = clone(&copy, sizeof copy, &copy.payload, copy.payload_len, &copy.url);
    return (request_t *)block;
}

void request_cleaner(request_t *request)
{
    free(request);
}

response_t *clone_response(response_t *response)
{
    response_t copy = *response;
    return (response_t *)clone(&copy, sizeof copy, &copy.payload, copy.payload_len, NULL);
}

void response_cleaner(response_t *response)
{
    free(response);
}
