// Sensors, numbered by the board.
#include "wa-inc/sensor.h"

WAMR_EXPORT(on_sensor_event) void on_sensor_event(uint32 handle, char *reading, int size);
int wasm_sensor_open(const char *name, int index);
int wasm_sensor_config(uint32 handle, int interval, int bit_cfg, int delay);
int wasm_sensor_config_with_attr_container(uint32 handle, const void *config, unsigned size);
int wasm_sensor_close(uint32 handle);

static sensor_t sensors;

sensor_t sensor_open(const char *name, int index, sensor_event_handler_f handler, void *user_data)
{
    unsigned name_size = strlen(name) + 1;
    sensor_t sensor = malloc(sizeof *sensor + name_size);
    if (!sensor)
        return NULL;
    int handle = wasm_sensor_open(name, index);
    if (handle < 0) {
        free(sensor);
        return NULL;
    }
    sensor->name = memcpy(sensor + 1, name, name_size);
    sensor->handle = handle;
    sensor->sensor_callback = handler;
    sensor->user_data = user_data;
    sensor->next = sensors;
    sensors = sensor;
    return sensor;
}

bool sensor_config(sensor_t sensor, int interval, int bit_cfg, int delay)
{
    return wasm_sensor_config(sensor->handle, interval, bit_cfg, delay);
}

bool sensor_config_with_attr_container(sensor_t sensor, attr_container_t *config)
{
    return wasm_sensor_config_with_attr_container(sensor->handle, config, attr_container_get_serialize_length(config));
}

bool sensor_close(sensor_t sensor)
{
    sensor_t *place = &sensors;
    while (*place && *place != sensor)
        place = &(*place)->next;
    if (!*place)
        return false;
    *place = sensor->next;
    bool closed = wasm_sensor_close(sensor->handle);
    free(sensor);
    return closed;
}

void on_sensor_event(uint32 handle, char *reading, int size)
{
    (void)size;
    for (sensor_t sensor = sensors; sensor; sensor = sensor->next)
        if (sensor->handle == handle) {
            sensor->sensor_callback(sensor, (attr_container_t *)reading, sensor->user_data);
            return;
        }
}
