// Requests, responses and how they are packed.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef uint8_t uint8;
typedef int8_t int8;
typedef uint16_t uint16;
typedef int16_t int16;
typedef uint32_t uint32;
typedef int32_t int32;
typedef uint64_t uint64;
typedef int64_t int64;

#define WA_MALLOC malloc
#define WA_FREE free
#define wa_malloc malloc
#define wa_free free

// What an app defines, if it wants them; so that they are exported without naming them to the linker.
#define WAMR_EXPORT(name) __attribute__((export_name(#name)))
WAMR_EXPORT(on_init) void on_init(void);
WAMR_EXPORT(on_destroy) void on_destroy(void);

// Formats of payloads
#define FMT_ATTR_CONTAINER 99
#define FMT_APP_RAW_BINARY 98

typedef enum {
    COAP_GET = 1,
    COAP_POST = 2,
    COAP_PUT = 3,
    COAP_DELETE = 4,
    COAP_EVENT = 6,
} coap_method_t;

typedef enum {
    NO_ERROR = 0,
    CREATED_2_01 = 65,
    DELETED_2_02 = 66,
    VALID_2_03 = 67,
    CHANGED_2_04 = 68,
    CONTENT_2_05 = 69,
    CONTINUE_2_31 = 95,
    BAD_REQUEST_4_00 = 128,
    UNAUTHORIZED_4_01 = 129,
    BAD_OPTION_4_02 = 130,
    FORBIDDEN_4_03 = 131,
    NOT_FOUND_4_04 = 132,
    METHOD_NOT_ALLOWED_4_05 = 133,
    NOT_ACCEPTABLE_4_06 = 134,
    PRECONDITION_FAILED_4_12 = 140,
    REQUEST_ENTITY_TOO_LARGE_4_13 = 141,
    UNSUPPORTED_MEDIA_TYPE_4_15 = 143,
    INTERNAL_SERVER_ERROR_5_00 = 160,
    NOT_IMPLEMENTED_5_01 = 161,
    BAD_GATEWAY_5_02 = 162,
    SERVICE_UNAVAILABLE_5_03 = 163,
    GATEWAY_TIMEOUT_5_04 = 164,
    PROXYING_NOT_SUPPORTED_5_05 = 165,
    MEMORY_ALLOCATION_ERROR = 192,
    PACKET_SERIALIZATION_ERROR = 193,
    MANUAL_RESPONSE = 194,
    PING_RESPONSE = 195,
} coap_status_t;

typedef struct request {
    uint32 mid;
    char *url;
    int action;
    int fmt;
    void *payload;
    int payload_len;
    unsigned long sender;
} request_t;

typedef struct response {
    uint32 mid;
    int status;
    int fmt;
    void *payload;
    int payload_len;
    unsigned long reciever;
} response_t;

// A request with a new message id. Returns `request`.
request_t *init_request(request_t *request, char *url, int action, int fmt, void *payload, int payload_len);
// The id and the receiver that a response to this request must have. Returns `response`.
response_t *make_response_for_request(request_t *request, response_t *response);
response_t *set_response(response_t *response, int status, int fmt, const void *payload, int payload_len);
#define is_event_type(request) ((request)->action == COAP_EVENT)

// A packet in a new block, to be given to free_req_resp_packet(); NULL: out of memory. *size: its bytes.
char *pack_request(request_t *request, int *size);
char *pack_response(response_t *response, int *size);
void free_req_resp_packet(char *packet);
// url and payload point into the packet. NULL: it is none.
request_t *unpack_request(char *packet, int size, request_t *request);
response_t *unpack_response(char *packet, int size, response_t *response);

// Copies to keep, and how to free them.
request_t *clone_request(request_t *request);
void request_cleaner(request_t *request);
response_t *clone_response(response_t *response);
void response_cleaner(response_t *response);

// The offset of what follows the prefix `leading` in the first url_len characters of a URL (or its length); 0: it does not begin so.
int check_url_start(const char *url, int url_len, const char *leading);
// Patterns: /abcd is that URL alone, /abcd/ that and what is below it, /abcd* whatever begins so, /abcd/* only what is below.
bool match_url(char *pattern, char *url);
// Copies the value of `key` from text such as key=value&other=value (for the delimiter '&') to `value`. Returns it; NULL: not there.
char *find_key_value(char *buffer, int buffer_len, char *key, char *value, int value_len, char delimiter);

char *wa_strdup(const char *text);
// 0, or -1: there is no room for `n` bytes.
int b_memcpy_s(void *to, unsigned room, const void *from, unsigned n);

uint16 htons(uint16 value);
uint16 ntohs(uint16 value);
uint32 htonl(uint32 value);
uint32 ntohl(uint32 value);

#ifdef __cplusplus
}
#endif
