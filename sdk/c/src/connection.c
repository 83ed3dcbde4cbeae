// Connections, numbered by the board.
#include "wa-inc/connection.h"

WAMR_EXPORT(on_connection_data) void on_connection_data(uint32 handle, char *data, uint32 len);
int wasm_open_connection(const char *name, const void *args, unsigned size);
void wasm_close_connection(uint32 handle);
int wasm_send_on_connection(uint32 handle, const char *data, uint32 len);
int wasm_config_connection(uint32 handle, const void *config, unsigned size);

static connection_t *connections;

connection_t *api_open_connection(const char *name, attr_container_t *args, on_connection_event_f on_event,
                                  void *user_data)
{
    connection_t *connection = malloc(sizeof *connection);
    if (!connection)
        return NULL;
    int handle = wasm_open_connection(name, args, attr_container_get_serialize_length(args));
    if (handle < 0) {
        free(connection);
        return NULL;
    }
    connection->handle = handle;
    connection->on_event = on_event;
    connection->user_data = user_data;
    connection->next = connections;
    connections = connection;
    return connection;
}

void api_close_connection(connection_t *connection)
{
    connection_t **place = &connections;
    while (*place && *place != connection)
        place = &(*place)->next;
    if (!*place)
        return;
    *place = connection->next;
    wasm_close_connection(connection->handle);
    free(connection);
}

int api_send_on_connection(connection_t *connection, const char *data, uint32 len)
{
    return wasm_send_on_connection(connection->handle, data, len);
}

bool api_config_connection(connection_t *connection, attr_container_t *config)
{
    return wasm_config_connection(connection->handle, config, attr_container_get_serialize_length(config));
}

void on_connection_data(uint32 handle, char *data, uint32 len)
{
    for (connection_t *connection = connections; connection; connection = connection->next)
        if (connection->handle == handle) {
            if (len)
                connection->on_event(connection, CONN_EVENT_TYPE_DATA, data, len, connection->user_data);
            else
                connection->on_event(connection, CONN_EVENT_TYPE_DISCONNECT, NULL, 0, connection->user_data);
            return;
        }
}
