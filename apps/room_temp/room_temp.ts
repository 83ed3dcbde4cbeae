// A server: answers each request to /room_temp with the temperature of the room, which is always 26.5 degrees.

import { Writer } from "./wamr-app/attributes";
import { Request, serve, Status } from "./wamr-app/request";

export { __data_end, __heap_base };
export { on_request } from "./wamr-app/request";

export function on_init(): void {
  serve("/room_temp", (request: Request): void => {
    const attributes = new Writer("room_temp payload").set("temp unit", "centigrade").set<f32>("value", 26.5);
    request.respond(Status.CONTENT, attributes.payload());
  });
}
