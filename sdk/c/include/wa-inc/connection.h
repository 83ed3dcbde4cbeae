// Connections: TCP, UDP and UART.
#pragma once
#include "bi-inc/attr_container.h"
#include "bi-inc/shared_utils.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    CONN_EVENT_TYPE_DATA = 1,
    CONN_EVENT_TYPE_DISCONNECT,
} conn_event_type_t;

struct _connection;
// data: there until the handler returns.
typedef void (*on_connection_event_f)(struct _connection *connection, conn_event_type_t type, const char *data,
                                      uint32 len, void *user_data);
typedef struct _connection {
    struct _connection *next;
    uint32 handle;
    on_connection_event_f on_event;
    void *user_data;
} connection_t;

// NULL: it did not succeed. name and attributes: "TCP" with address (string) and port (uint16); "UDP" with "bind port" (uint16);
// "UART" with device (string) and baudrate (int).
connection_t *api_open_connection(const char *name, attr_container_t *args, on_connection_event_f on_event,
                                  void *user_data);
void api_close_connection(connection_t *connection);
// How many bytes were taken, or -1. Does not wait.
int api_send_on_connection(connection_t *connection, const char *data, uint32 len);
// UDP: where to send, address (string) and port (uint16).
bool api_config_connection(connection_t *connection, attr_container_t *config);

#ifdef __cplusplus
}
#endif
