// Connections: TCP, UDP, UART. Export on_connection_data from the app's main file.

import { Payload } from "./attributes";
import { encoded } from "./memory";

// @ts-ignore: decorator
@external("env", "wasm_open_connection") declare function wasm_open_connection(name: usize, args: usize, size: i32): i32;
// @ts-ignore: decorator
@external("env", "wasm_close_connection") declare function wasm_close_connection(handle: i32): void;
// @ts-ignore: decorator
@external("env", "wasm_send_on_connection") declare function wasm_send_on_connection(handle: i32, data: usize, size: i32): i32;
// @ts-ignore: decorator
@external("env", "wasm_config_connection") declare function wasm_config_connection(handle: i32, config: usize, size: i32): i32;

const connections: Connection[] = [];

export class Connection {
  readonly handle: i32;

  /**
   * name and arguments: "TCP" with address (string) and port (u16); "UDP" with "bind port" (u16); "UART" with device (string)
   * and baudrate (i32). What comes is given to the function; no bytes: the connection was closed.
   */
  constructor(name: string, args: Payload, private call: (connection: Connection, data: StaticArray<u8>) => void) {
    this.handle = wasm_open_connection(encoded(name), changetype<usize>(args.bytes), args.size);
    if (this.handle > 0) connections.push(this);
  }

  get isOpen(): bool {
    return connections.includes(this);
  }

  /** How many bytes were taken, or -1. Does not wait. */
  send(data: StaticArray<u8>): i32 {
    return wasm_send_on_connection(this.handle, changetype<usize>(data), data.length);
  }

  /** UDP: where to send, address (string) and port (u16). */
  configure(config: Payload): bool {
    return wasm_config_connection(this.handle, changetype<usize>(config.bytes), config.size) != 0;
  }

  close(): void {
    const at = connections.indexOf(this);
    if (at >= 0) {
      connections.splice(at, 1);
      wasm_close_connection(this.handle);
    }
  }

  // For on_connection_data.
  deliver(data: StaticArray<u8>): void {
    this.call(this, data);
  }
}

export function on_connection_data(handle: i32, data: usize, size: usize): void {
  for (let i = 0; i < connections.length; i++) {
    const connection = connections[i];
    if (connection.handle == handle) {
      const copy = new StaticArray<u8>(<i32>size);
      memory.copy(changetype<usize>(copy), data, size);
      if (!size) connection.close();
      connection.deliver(copy);
      break;
    }
  }
  __collect();
}
