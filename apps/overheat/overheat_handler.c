// A subscriber: prints the URL of each event alert/overheat.
//
// The sample of WAMR's first README, which has it together with the publisher; it is an app of its own. Added are the include and
// the declaration of the handler; gone are the space before the URL, which matches nothing, and a typographic quote.

#include "wasm_app.h"

void overheat_handler(request_t *event);

void on_init()
{
  api_subscribe_event ("alert/overheat", overheat_handler);
}

void on_destroy()
{
}
void overheat_handler(request_t *event)
{
 printf("Event: %s\n", event->url);
}
