// @NAME@: publishes the event @NAME@/tick, and answers requests to /@NAME@.
//
//   GET  how many ticks there were, and how many ms are between them
//   PUT  {"interval": 500} sets that

import { Writer } from "./wamr-app/attributes";
import { Action, publish, Request, serve, Status } from "./wamr-app/request";
import { Timer } from "./wamr-app/timer";

// What the app manager calls, and where the app's data end: the board allocates no more than that.
export { on_request } from "./wamr-app/request";
export { on_timer_callback } from "./wamr-app/timer";
export { __data_end, __heap_base };

let ticks = 0;
let interval = 1000;
let timer: Timer | null = null;

function describe(): Writer {
  return new Writer("@NAME@").set("ticks", ticks).set("interval", interval);
}

function setInterval(request: Request): u8 {
  // Hosts send every number as a double.
  const ms = request.attributes.number("interval");
  const running = timer;
  if (!(ms >= 1) || !running) return Status.BAD_REQUEST;
  interval = <i32>ms;
  running.restart(interval);
  return Status.CHANGED;
}

export function on_init(): void {
  timer = Timer.every(interval, (): void => {
    ticks++;
    publish("@NAME@/tick", describe().payload());
  });
  serve("/@NAME@", (request: Request): void => {
    if (request.action == Action.GET) request.respond(Status.CONTENT, describe().payload());
    else if (request.action == Action.PUT) request.respond(setInterval(request));
    else request.respond(Status.METHOD_NOT_ALLOWED);
  });
}
