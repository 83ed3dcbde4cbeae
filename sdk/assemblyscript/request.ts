// Requests, responses and events. Export what the app needs of this from its main file: on_request, on_response.

import { Attributes, Format, Payload } from "./attributes";
import { decoded, encoded } from "./memory";

// @ts-ignore: decorator
@external("env", "wasm_register_resource") declare function wasm_register_resource(url: usize): void;
// @ts-ignore: decorator
@external("env", "wasm_response_send") declare function wasm_response_send(packet: usize, size: usize): i32;
// @ts-ignore: decorator
@external("env", "wasm_post_request") declare function wasm_post_request(packet: usize, size: usize): void;
// @ts-ignore: decorator
@external("env", "wasm_sub_event") declare function wasm_sub_event(url: usize): void;

const REQUEST_HEAD = 18, RESPONSE_HEAD = 16;

export namespace Action {
  export const GET: u8 = 1;
  export const POST: u8 = 2;
  export const PUT: u8 = 3;
  export const DELETE: u8 = 4;
  export const EVENT: u8 = 6;
}

export namespace Status {
  export const CREATED: u8 = 65;
  export const DELETED: u8 = 66;
  export const VALID: u8 = 67;
  export const CHANGED: u8 = 68;
  export const CONTENT: u8 = 69;
  export const BAD_REQUEST: u8 = 128;
  export const UNAUTHORIZED: u8 = 129;
  export const FORBIDDEN: u8 = 131;
  export const NOT_FOUND: u8 = 132;
  export const METHOD_NOT_ALLOWED: u8 = 133;
  export const PRECONDITION_FAILED: u8 = 140;
  export const TOO_LARGE: u8 = 141;
  export const UNSUPPORTED_MEDIA_TYPE: u8 = 143;
  export const INTERNAL_SERVER_ERROR: u8 = 160;
  export const NOT_IMPLEMENTED: u8 = 161;
  export const SERVICE_UNAVAILABLE: u8 = 163;
  export const GATEWAY_TIMEOUT: u8 = 164;
}

// What requests and responses begin with.
function pack(packet: usize, kind: u8, format: u16, mid: u32, peer: u32): void {
  store<u8>(packet, 1);
  store<u8>(packet, kind, 1);
  store<u16>(packet, bswap(format), 2);
  store<u32>(packet, bswap(mid), 4);
  store<u32>(packet, bswap(peer), 8);
}

/** A request or an event. Its attributes are there until the handler returns. */
export class Request {
  constructor(
    public action: u8,
    public mid: u32,
    public sender: u32,
    public url: string,
    public format: u16,
    private payload: usize,
    public size: i32,
  ) {}

  get attributes(): Attributes {
    return new Attributes(this.payload, this.format == Format.ATTRIBUTES ? this.size : 0);
  }

  /** A copy of the payload's bytes. */
  get bytes(): StaticArray<u8> {
    const copy = new StaticArray<u8>(this.size);
    memory.copy(changetype<usize>(copy), this.payload, this.size);
    return copy;
  }

  respond(status: u8, payload: Payload = Payload.none()): void {
    const size = RESPONSE_HEAD + payload.size;
    const packet = heap.alloc(size);
    pack(packet, status, payload.format, this.mid, this.sender);
    store<u32>(packet, bswap<u32>(payload.size), 12);
    memory.copy(packet + RESPONSE_HEAD, changetype<usize>(payload.bytes), payload.size);
    wasm_response_send(packet, size);
    heap.free(packet);
  }
}

/** A response, or none: `status` is 0 then. */
export class Response {
  constructor(public status: u8, public mid: u32, public format: u16, private payload: usize, public size: i32) {}

  get attributes(): Attributes {
    return new Attributes(this.payload, this.format == Format.ATTRIBUTES ? this.size : 0);
  }
}

class Handler {
  constructor(public url: string, public isEvent: bool, public call: (request: Request) => void) {}
}

class Transaction {
  constructor(public mid: u32, public call: (response: Response) => void) {}
}

const handlers: Handler[] = [];
const transactions: Transaction[] = [];
let lastMid: u32 = 0;

/** Handle the requests to this URL and below it; the newest handler that fits counts. */
export function serve(url: string, handler: (request: Request) => void): void {
  handlers.unshift(new Handler(url, false, handler));
  wasm_register_resource(encoded(url));
}

/** Handle the events that are published with exactly this URL. */
export function subscribe(url: string, handler: (request: Request) => void): void {
  handlers.unshift(new Handler(url, true, handler));
  wasm_sub_event(encoded(url));
}

export function publish(url: string, payload: Payload = Payload.none()): void {
  post(Action.EVENT, url, payload);
}

/** Send a request; nobody may answer it. Export on_response for the handler to be called. */
export function send(action: u8, url: string, payload: Payload, handler: (response: Response) => void): void {
  transactions.push(new Transaction(lastMid + 1, handler));
  post(action, url, payload);
}

function post(action: u8, url: string, payload: Payload): void {
  const urlLength = String.UTF8.byteLength(url, true);
  const size = REQUEST_HEAD + urlLength + payload.size;
  const packet = heap.alloc(size);
  pack(packet, action, payload.format, ++lastMid, 0);
  store<u16>(packet, bswap<u16>(<u16>urlLength), 12);
  store<u32>(packet, bswap<u32>(payload.size), 14);
  String.UTF8.encodeUnsafe(changetype<usize>(url), url.length, packet + REQUEST_HEAD, true);
  memory.copy(packet + REQUEST_HEAD + urlLength, changetype<usize>(payload.bytes), payload.size);
  wasm_post_request(packet, size);
  heap.free(packet);
}

function trim(url: string): string {
  return url.startsWith("/") ? url.substring(1) : url;
}

// Whether a URL is this one, or below it.
function matches(url: string, prefix: string): bool {
  url = trim(url);
  prefix = trim(prefix);
  if (!url.startsWith(prefix)) return false;
  const next = url.length > prefix.length ? url.charCodeAt(prefix.length) : 0x2f;
  return next == 0x2f || next == 0x3f; // "/" or "?"
}

export function on_request(packet: usize, size: usize): void {
  const urlLength = <usize>bswap(load<u16>(packet, 12));
  const payload = <usize>bswap(load<u32>(packet, 14));
  if (<i32>size < REQUEST_HEAD || <i32>size != REQUEST_HEAD + <i32>(urlLength + payload)) return;
  const url = decoded(packet + REQUEST_HEAD, urlLength - 1);
  const action = load<u8>(packet, 1);
  for (let i = 0; i < handlers.length; i++) {
    const handler = handlers[i];
    if (handler.isEvent == (action == Action.EVENT) && matches(url, handler.url)) {
      const format = bswap(load<u16>(packet, 2));
      const mid = bswap(load<u32>(packet, 4));
      const sender = bswap(load<u32>(packet, 8));
      const at = packet + REQUEST_HEAD + urlLength;
      handler.call(new Request(action, mid, sender, url, format, at, <i32>payload));
      break;
    }
  }
  __collect();
}

export function on_response(packet: usize, size: usize): void {
  const mid = bswap(load<u32>(packet, 4));
  for (let i = 0; i < transactions.length; i++) {
    if (transactions[i].mid == mid) {
      const call = transactions.splice(i, 1)[0].call;
      const format = bswap(load<u16>(packet, 2));
      call(new Response(load<u8>(packet, 1), mid, format, packet + RESPONSE_HEAD, <i32>(size - RESPONSE_HEAD)));
      break;
    }
  }
  __collect();
}
