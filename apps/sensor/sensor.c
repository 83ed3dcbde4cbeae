// Opens two sensors, one of them to be read every second, the other every five, and publishes each reading as an event.

#include "wasm_app.h"
#include "wa-inc/request.h"
#include "wa-inc/sensor.h"

static sensor_t sensor1, sensor2;

static void sensor_event_handler(sensor_t sensor, attr_container_t *reading, void *user_data)
{
    const char *url = user_data;
    printf("%s:\n", sensor == sensor1 ? "sensor1" : "sensor2");
    attr_container_dump(reading);
    api_publish_event(url, FMT_ATTR_CONTAINER, reading, attr_container_get_serialize_length(reading));
}

void on_init(void)
{
    sensor1 = sensor_open("sensor_test1", 0, sensor_event_handler, "reading/1");
    if (!sensor1) {
        puts("sensor1 cannot be opened");
        return;
    }
    sensor_config(sensor1, 1000, 0, 0);

    sensor2 = sensor_open("sensor_test2", 0, sensor_event_handler, "reading/2");
    if (!sensor2) {
        puts("sensor2 cannot be opened");
        return;
    }
    attr_container_t *config = attr_container_create("config sensor");
    attr_container_set_int(&config, "interval", 5000);
    sensor_config_with_attr_container(sensor2, config);
    attr_container_destroy(config);
}

void on_destroy(void)
{
    if (sensor1)
        sensor_close(sensor1);
    if (sensor2)
        sensor_close(sensor2);
}
