// Requests that go out, and the wait for their responses.
#include "wa-inc/request.h"
#include "wa-inc/timer_wasm_app.h"

#define TIMEOUT_MS 5000

WAMR_EXPORT(on_response) void on_response(char *packet, int size);
void wasm_post_request(const char *packet, int size);

typedef struct transaction {
    struct transaction *next;
    uint32 mid, sent;
    response_handler_f handler;
    void *user_data;
} transaction_t;

static transaction_t *transactions; // oldest first
static user_timer_t timer; // runs while there are any

// Takes a transaction out of the list, and tells its handler.
static void finish(transaction_t **place, response_t *response)
{
    transaction_t *done = *place;
    *place = done->next;
    if (!transactions) {
        api_timer_cancel(timer);
        timer = NULL;
    }
    if (done->handler)
        done->handler(response, done->user_data);
    free(done);
}

static void check_timeouts(user_timer_t fired)
{
    uint32 now = wasm_get_sys_tick_ms();
    (void)fired;
    while (transactions && now - transactions->sent >= TIMEOUT_MS)
        finish(&transactions, NULL);
    if (transactions && timer)
        api_timer_restart(timer, TIMEOUT_MS - (now - transactions->sent));
}

void api_send_request(request_t *request, response_handler_f handler, void *user_data)
{
    int size;
    request->sender = 0;
    char *packet = pack_request(request, &size);
    transaction_t *transaction = packet ? malloc(sizeof *transaction) : NULL;
    if (transaction) {
        transaction->next = NULL;
        transaction->mid = request->mid;
        transaction->sent = wasm_get_sys_tick_ms();
        transaction->handler = handler;
        transaction->user_data = user_data;
        transaction_t **place = &transactions;
        while (*place)
            place = &(*place)->next;
        *place = transaction;
        if (!timer)
            timer = api_timer_create(TIMEOUT_MS, false, true, check_timeouts);
        wasm_post_request(packet, size);
    }
    free_req_resp_packet(packet);
}

void on_response(char *packet, int size)
{
    response_t response[1];
    if (!unpack_response(packet, size, response))
        return;
    for (transaction_t **place = &transactions; *place; place = &(*place)->next)
        if ((*place)->mid == response->mid) {
            finish(place, response);
            return;
        }
    puts("cannot find the transaction");
}
