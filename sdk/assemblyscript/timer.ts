// Timers. Export on_timer_callback from the app's main file.

// @ts-ignore: decorator
@external("env", "wasm_create_timer") declare function wasm_create_timer(interval: i32, periodic: i32, start: i32): i32;
// @ts-ignore: decorator
@external("env", "wasm_timer_destroy") declare function wasm_timer_destroy(id: i32): void;
// @ts-ignore: decorator
@external("env", "wasm_timer_restart") declare function wasm_timer_restart(id: i32, interval: i32): void;
// @ts-ignore: decorator
@external("env", "wasm_get_sys_tick_ms") declare function wasm_get_sys_tick_ms(): u32;

const timers: Timer[] = [];

/** ms since the board was started. */
export function ticks(): u32 {
  return wasm_get_sys_tick_ms();
}

export class Timer {
  private id: i32;

  private constructor(private call: (timer: Timer) => void, interval: i32, private isPeriodic: bool) {
    this.id = wasm_create_timer(interval, isPeriodic ? 1 : 0, 1);
    if (this.id > 0) timers.push(this);
  }

  /** Call a function every so many ms. */
  static every(interval: i32, call: (timer: Timer) => void): Timer {
    return new Timer(call, interval, true);
  }

  /** Call a function once, after so many ms. */
  static after(delay: i32, call: (timer: Timer) => void): Timer {
    return new Timer(call, delay, false);
  }

  /** False: it was cancelled, or could not be made, since too many timers are running. */
  get isActive(): bool {
    return this.id > 0;
  }

  /** Begin anew; an interval of 0: the one it had. */
  restart(interval: i32 = 0): void {
    if (this.id > 0) wasm_timer_restart(this.id, interval);
  }

  /** Stop it for good. */
  cancel(): void {
    if (this.id > 0) {
      wasm_timer_destroy(this.id);
      this.id = 0;
      timers.splice(timers.indexOf(this), 1);
    }
  }

  // For on_timer_callback.
  fire(id: i32): bool {
    if (this.id != id) return false;
    this.call(this);
    return true;
  }
}

export function on_timer_callback(id: i32): void {
  for (let i = 0; i < timers.length; i++) {
    if (timers[i].fire(id)) break;
  }
  __collect();
}
