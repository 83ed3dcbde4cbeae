// A publisher: a timer publishes the event alert/overheat every second.

import { Writer } from "./wamr-app/attributes";
import { print } from "./wamr-app/memory";
import { publish } from "./wamr-app/request";
import { Timer } from "./wamr-app/timer";

export { __data_end, __heap_base };
export { on_timer_callback } from "./wamr-app/timer";

let num = 0;

export function on_init(): void {
  Timer.every(1000, (): void => {
    print(`Timer update ${num++}`);
    publish("alert/overheat", new Writer("event").set("warning", "temperature is over high").payload());
  });
}
