// Sensors of the board. Export on_sensor_event from the app's main file.

import { Attributes, Payload } from "./attributes";
import { encoded } from "./memory";

// @ts-ignore: decorator
@external("env", "wasm_sensor_open") declare function wasm_sensor_open(name: usize, index: i32): i32;
// @ts-ignore: decorator
@external("env", "wasm_sensor_config") declare function wasm_sensor_config(id: i32, interval: i32, bits: i32, delay: i32): i32;
// @ts-ignore: decorator
@external("env", "wasm_sensor_config_with_attr_container") declare function config_with(id: i32, config: usize, size: i32): i32;
// @ts-ignore: decorator
@external("env", "wasm_sensor_close") declare function wasm_sensor_close(id: i32): i32;

const sensors: Sensor[] = [];

export class Sensor {
  readonly id: i32;

  constructor(name: string, index: i32, private call: (sensor: Sensor, reading: Attributes) => void) {
    this.id = wasm_sensor_open(encoded(name), index);
    if (this.id > 0) sensors.push(this);
  }

  /** False: the board has no such sensor. */
  get isOpen(): bool {
    return this.id > 0;
  }

  /** interval: ms; bits: which values of a reading are wanted, 0: all. */
  configure(interval: i32, bits: i32 = 0): bool {
    return wasm_sensor_config(this.id, interval, bits, 0) != 0;
  }

  configureWith(config: Payload): bool {
    return config_with(this.id, changetype<usize>(config.bytes), config.size) != 0;
  }

  close(): void {
    const at = sensors.indexOf(this);
    if (at >= 0) {
      sensors.splice(at, 1);
      wasm_sensor_close(this.id);
    }
  }

  // For on_sensor_event.
  deliver(reading: Attributes): void {
    this.call(this, reading);
  }
}

export function on_sensor_event(id: i32, reading: usize, size: i32): void {
  for (let i = 0; i < sensors.length; i++) {
    if (sensors[i].id == id) {
      sensors[i].deliver(new Attributes(reading, size));
      break;
    }
  }
  __collect();
}
