// Text for the board's functions, and printing.

// Text in UTF-8 with a NUL behind it.
export function encoded(text: string): usize {
  return changetype<usize>(String.UTF8.encode(text, true));
}

// Text of so many bytes of UTF-8.
export function decoded(text: usize, size: usize): string {
  return String.UTF8.decodeUnsafe(text, size);
}

// @ts-ignore: decorator
@external("env", "puts") declare function puts(text: usize): i32;

/** Prints a line. */
export function print(text: string): void {
  puts(encoded(text));
}
