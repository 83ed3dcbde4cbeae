// Sensors of the board.
#pragma once
#include "bi-inc/attr_container.h"
#include "bi-inc/shared_utils.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct _sensor *sensor_t;
// The reading is there until the handler returns.
typedef void (*sensor_event_handler_f)(sensor_t sensor, attr_container_t *event, void *user_data);

struct _sensor {
    struct _sensor *next;
    char *name;
    uint32 handle;
    sensor_event_handler_f sensor_callback;
    void *user_data;
};

// NULL: there is no such sensor, or this app has it open already.
sensor_t sensor_open(const char *name, int index, sensor_event_handler_f handler, void *user_data);
// interval: ms between readings, 0: no readings. bit_cfg: which values of a reading are wanted, one bit for each; 0: all.
bool sensor_config(sensor_t sensor, int interval, int bit_cfg, int delay);
// What a sensor understands is up to its driver.
bool sensor_config_with_attr_container(sensor_t sensor, attr_container_t *config);
bool sensor_close(sensor_t sensor);

#ifdef __cplusplus
}
#endif
