// Two thermometers for one room: each is smoothed, the steadier one counts more, and the result is drawn on the display. Above
// 30 degrees it publishes the event alert/temperature, and again when it is below 29. GET /room tells the state.

#include "wasm_app.h"
#include "wa-inc/board.h"
#include "wa-inc/request.h"
#include "wa-inc/sensor.h"

#define SENSORS 2
#define INTERVAL_MS 500
#define SMOOTHING 0.25f
#define HOT 30.0f
#define COOL 29.0f // below HOT, so that a value that swings about the limit gives no flood of alerts
#define HISTORY 64

typedef struct {
    sensor_t sensor;
    bool is_known;
    float value; // smoothed
    float noise; // how far readings are from that, smoothed too
} thermometer_t;

static thermometer_t thermometers[SENSORS];
static float room;
static bool is_hot;
static int8_t history[HISTORY]; // degrees, the oldest first
static int history_size;

// The weighted mean: the weight of a thermometer is the inverse of its noise.
static float fuse(void)
{
    float sum = 0, weights = 0;
    for (int i = 0; i < SENSORS; i++)
        if (thermometers[i].is_known) {
            float weight = 1 / (thermometers[i].noise + 0.1f);
            sum += weight * thermometers[i].value;
            weights += weight;
        }
    return sum / weights;
}

static attr_container_t *describe(void)
{
    attr_container_t *state = attr_container_create("room");
    attr_container_set_float(&state, "temperature", room);
    attr_container_set_bool(&state, "hot", is_hot);
    for (int i = 0; i < SENSORS; i++) {
        char key[] = "noise0";
        key[5] += i;
        if (thermometers[i].is_known)
            attr_container_set_float(&state, key, thermometers[i].noise);
    }
    return state;
}

static void check(void)
{
    if (is_hot ? room >= COOL : room <= HOT)
        return;
    is_hot = !is_hot;
    attr_container_t *event = describe();
    api_publish_event("alert/temperature", FMT_ATTR_CONTAINER, event, attr_container_get_serialize_length(event));
    attr_container_destroy(event);
}

static void remember(void)
{
    if (history_size == HISTORY)
        memmove(history, history + 1, --history_size);
    history[history_size++] = (int8_t)room;
}

// The value as text, and below it the last values as a line, 0 to 50 degrees.
static void draw(void)
{
    int width = display_width(), height = display_height();
    if (!width)
        return;
    char text[16];
    int tenths = (int)(room * 10);
    snprintf(text, sizeof text, "%d.%d C%s", tenths / 10, tenths % 10, is_hot ? " HOT" : "");
    display_fill(0);
    display_text(text, 0, 0, 1);
    int top = 10, span = height - top - 1;
    for (int i = 1; i < history_size && i < width; i++)
        display_line(i - 1, height - 1 - history[i - 1] * span / 50, i, height - 1 - history[i] * span / 50, 1);
    display_show();
}

static void on_reading(sensor_t sensor, attr_container_t *reading, void *user_data)
{
    thermometer_t *thermometer = user_data;
    float value = (float)attr_container_get_as_double(reading, "value");
    (void)sensor;
    if (!thermometer->is_known) {
        thermometer->is_known = true;
        thermometer->value = value;
    } else {
        float off = value - thermometer->value;
        thermometer->value += SMOOTHING * off;
        thermometer->noise += SMOOTHING * ((off < 0 ? -off : off) - thermometer->noise);
    }
    room = fuse();
    check();
    // Once per round, when the last thermometer that works was read.
    if (thermometer == &thermometers[SENSORS - 1] || !thermometers[SENSORS - 1].is_known) {
        remember();
        draw();
    }
}

static void room_handler(request_t *request)
{
    response_t response[1];
    attr_container_t *state = describe();
    make_response_for_request(request, response);
    set_response(response, CONTENT_2_05, FMT_ATTR_CONTAINER, state, attr_container_get_serialize_length(state));
    api_response_send(response);
    attr_container_destroy(state);
}

void on_init(void)
{
    for (int i = 0; i < SENSORS; i++) {
        thermometers[i].sensor = sensor_open("temperature", i, on_reading, &thermometers[i]);
        if (thermometers[i].sensor)
            sensor_config(thermometers[i].sensor, INTERVAL_MS, 0, 0);
        else
            log_write(LOG_WARNING, "a thermometer is missing");
    }
    api_register_resource_handler("/room", room_handler);
}
