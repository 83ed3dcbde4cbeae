// Connects to a TCP server when it is told to: PUT /connect with address and port. Then it sends a greeting each second and
// publishes what comes back as the event received; DELETE /connect ends it.

#include "wasm_app.h"
#include "wa-inc/connection.h"
#include "wa-inc/request.h"
#include "wa-inc/timer_wasm_app.h"

static int num;
static user_timer_t timer;
static connection_t *connection;

static void disconnect(void)
{
    api_timer_cancel(timer);
    if (connection)
        api_close_connection(connection);
    connection = NULL;
}

static void on_data(connection_t *from, conn_event_type_t type, const char *data, uint32 len, void *user_data)
{
    (void)from;
    (void)user_data;
    if (type == CONN_EVENT_TYPE_DATA)
        api_publish_event("received", FMT_APP_RAW_BINARY, (void *)data, len);
    else {
        puts("the server has closed the connection");
        disconnect();
    }
}

static void greet(user_timer_t fired)
{
    char message[32];
    (void)fired;
    int len = snprintf(message, sizeof message, "Hello %d\n", num++);
    if (api_send_on_connection(connection, message, len) != len)
        puts("not all was sent");
}

static void connect_handler(request_t *request)
{
    response_t response[1];
    int status = BAD_REQUEST_4_00;
    if (request->action == COAP_DELETE) {
        disconnect();
        status = DELETED_2_02;
    } else if (request->action == COAP_PUT && request->fmt == FMT_ATTR_CONTAINER && !connection) {
        attr_container_t *args = attr_container_create("");
        attr_container_set_string(&args, "address", attr_container_get_as_string(request->payload, "address"));
        attr_container_set_uint16(&args, "port", (uint16)attr_container_get_as_double(request->payload, "port"));
        connection = api_open_connection("TCP", args, on_data, NULL);
        attr_container_destroy(args);
        status = connection ? CREATED_2_01 : BAD_GATEWAY_5_02;
        if (connection)
            api_timer_restart(timer, 1000);
    }
    make_response_for_request(request, response);
    set_response(response, status, 0, NULL, 0);
    api_response_send(response);
}

void on_init(void)
{
    timer = api_timer_create(1000, true, false, greet);
    api_register_resource_handler("/connect", connect_handler);
}
