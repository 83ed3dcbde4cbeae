// The typed values that requests, responses, events and readings carry.

import { decoded } from "./memory";

/** Write attributes as WAMR did until 2022: set it to true at the beginning of on_init(). Both ways are understood when reading. */
export const dialect: StaticArray<bool> = [false];

// Codes of types by dialect: in the low byte those since 2023, in the high byte those before; 255: there is none.
const INT8 = 0x0400, INT16 = 0x0101, INT32 = 0x0202, INT64 = 0x0303;
const UINT8 = 0xff04, UINT16 = 0x0505, UINT32 = 0xff06, UINT64 = 0xff07;
const FLOAT = 0x060a, DOUBLE = 0x070b, BOOL = 0x080c, TEXT = 0x090d, BYTES = 0x0a0e;

/** What a payload is. */
export namespace Format {
  export const NONE: u16 = 0;
  export const RAW: u16 = 98;
  export const ATTRIBUTES: u16 = 99;
}

/** Some bytes, and what they are. */
export class Payload {
  constructor(public format: u16, public bytes: StaticArray<u8>, public size: i32) {}

  static none(): Payload {
    return new Payload(Format.NONE, [], 0);
  }

  static raw(bytes: StaticArray<u8>): Payload {
    return new Payload(Format.RAW, bytes, bytes.length);
  }
}

/** Attributes being written. Each key is set once. */
export class Writer {
  private data: StaticArray<u8> = new StaticArray<u8>(64);
  private size: i32 = 0;
  private count: i32;

  constructor(tag: string = "") {
    const at = this.room(8);
    memory.fill(at, 0, 8);
    this.text(tag);
    store<u16>(changetype<usize>(this.data) + 6, this.size - 8);
    this.count = this.size;
    store<u16>(this.room(2), 0);
  }

  // The address of the next n bytes, which are to be written.
  private room(n: i32): usize {
    const at = this.size;
    const needed = at + n;
    if (needed > this.data.length) {
      const larger = new StaticArray<u8>(needed + 64);
      memory.copy(changetype<usize>(larger), changetype<usize>(this.data), at);
      this.data = larger;
    }
    this.size = needed;
    return changetype<usize>(this.data) + at;
  }

  // UTF-8 with a NUL behind it.
  private text(text: string): void {
    const n = String.UTF8.byteLength(text, true);
    const at = this.room(n);
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at, true);
  }

  private head(key: string, codes: i32): void {
    const code = dialect[0] ? codes >> 8 : codes & 0xff;
    if (code == 255) unreachable(); // this dialect has no such type
    const length = this.size;
    this.room(2);
    this.text(key);
    store<u16>(changetype<usize>(this.data) + length, this.size - length - 2);
    store<u8>(this.room(1), <u8>code);
    const count = changetype<usize>(this.data) + this.count;
    store<u16>(count, load<u16>(count) + 1);
  }

  /** The type of the value decides that of the attribute: i8 to u64, f32, f64, bool, or string. */
  set<T>(key: string, value: T): Writer {
    if (isString<T>()) {
      this.head(key, TEXT);
      const length = this.size;
      this.room(2);
      // @ts-ignore: it is one
      this.text(value as string);
      store<u16>(changetype<usize>(this.data) + length, this.size - length - 2);
    } else if (isBoolean<T>()) {
      this.head(key, BOOL);
      store<u8>(this.room(1), value ? 1 : 0);
    } else {
      if (isFloat<T>()) this.head(key, sizeof<T>() == 4 ? FLOAT : DOUBLE);
      else if (isSigned<T>())
        this.head(key, sizeof<T>() == 1 ? INT8 : sizeof<T>() == 2 ? INT16 : sizeof<T>() == 4 ? INT32 : INT64);
      else this.head(key, sizeof<T>() == 1 ? UINT8 : sizeof<T>() == 2 ? UINT16 : sizeof<T>() == 4 ? UINT32 : UINT64);
      store<T>(this.room(sizeof<T>()), value);
    }
    return this;
  }

  setBytes(key: string, bytes: StaticArray<u8>): Writer {
    this.head(key, BYTES);
    store<u32>(this.room(4), bytes.length);
    memory.copy(this.room(bytes.length), changetype<usize>(bytes), bytes.length);
    return this;
  }

  payload(): Payload {
    store<u32>(changetype<usize>(this.data) + 2, this.size - 2);
    return new Payload(Format.ATTRIBUTES, this.data, this.size);
  }
}

/** Attributes that came with a request, an event or a reading: there until its handler returns. */
export class Attributes {
  private first: i32 = 0;
  private code: i32 = 0; // of the attribute that was found
  private size: usize = 0;
  private isA: bool;

  constructor(private data: usize, private length: i32) {
    const own = dialect[0];
    this.isA = own;
    if (length >= 11) {
      const first = <i32>load<u16>(data, 6) + 10;
      if (first > 10 && first <= length) {
        this.first = first;
        this.find("", true);
      }
    }
  }

  /** Whether these are attributes at all. */
  get isValid(): bool {
    return this.first != 0;
  }

  get tag(): string {
    return this.first ? decoded(this.data + 8, this.first - 11) : "";
  }

  // The address of a value; 0: there is none. Its size and code are kept. Or what dialect these attributes are in: the first
  // type that only one of them has tells.
  private find(key: string, dialectOnly: bool = false): usize {
    if (!this.first) return 0;
    const end = this.data + this.length;
    let at = this.data + this.first;
    for (let count = load<u16>(at - 2); count > 0 && at + 4 <= end; count--) {
      const keyLength = <usize>load<u16>(at);
      const name = at + 2;
      at = name + keyLength + 1;
      if (!keyLength || at > end) return 0;
      const code = <i32>load<u8>(at - 1);
      if (dialectOnly) {
        if (code == 8 || code == 9 || code > 10 || !code) {
          this.isA = code == 8 || code == 9;
          return 0;
        }
      }
      let size: usize = 1 << (code & 3);
      if (code == 9 || code == 13) {
        if (at + 2 > end) return 0;
        size = load<u16>(at);
        at += 2;
      } else if (code == 14 || (code == 10 && this.isA)) {
        if (at + 4 > end) return 0;
        size = load<u32>(at);
        at += 4;
      }
      if (size > end - at) return 0;
      if (!dialectOnly && decoded(name, keyLength - 1) == key) {
        this.code = code;
        this.size = size;
        return at;
      }
      at += size;
    }
    return 0;
  }

  has(key: string): bool {
    return this.find(key) != 0;
  }

  /** A number or bool of any type (hosts send doubles); NaN: there is no such number. */
  number(key: string): f64 {
    const at = this.find(key);
    if (!at) return NaN;
    const isA = this.isA;
    switch (this.code) {
      case 0: return load<i8>(at);
      case 1: return load<i16>(at);
      case 2: return load<i32>(at);
      case 3: return <f64>load<i64>(at);
      case 4: return isA ? <f64>load<i8>(at) : <f64>load<u8>(at);
      case 5: return load<u16>(at);
      case 6: return isA ? <f64>load<f32>(at) : <f64>load<u32>(at);
      case 7: return isA ? load<f64>(at) : <f64>load<u64>(at);
      case 8:
      case 12: return load<u8>(at);
      case 10: return isA ? NaN : <f64>load<f32>(at);
      case 11: return load<f64>(at);
      default: return NaN;
    }
  }

  /** Text; "" if there is none. */
  text(key: string): string {
    const at = this.find(key);
    return at && (this.code == 9 || this.code == 13) && this.size ? decoded(at, this.size - 1) : "";
  }
}
