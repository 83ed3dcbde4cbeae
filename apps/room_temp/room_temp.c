// A server: answers each request to /room_temp with the temperature of the room, which is always 26.5 degrees.
//
// The sample of WAMR's first README. Added are the include and the declaration of the handler; "26.5" is a number.

#include "wasm_app.h"

void room_temp_handler(request_t *request);

void on_init()
{
  /* register resource uri */
  init_resource_register();
  api_register_resource_handler("/room_temp", room_temp_handler);
}

void on_destroy()
{
}

void room_temp_handler(request_t *request)
{
  response_t response[1];
  attr_container_t *payload;
  payload = attr_container_create("room_temp payload");
  if (payload == NULL)
    return;

  attr_container_set_string(&payload, "temp unit", "centigrade");
  attr_container_set_float(&payload, "value", 26.5);

  make_response_for_request(request, response);
  set_response(response,
          CONTENT_2_05,
          FMT_ATTR_CONTAINER,
          payload,
          attr_container_get_serialize_length(payload));

  api_response_send(response);
  attr_container_destroy(payload);
}
