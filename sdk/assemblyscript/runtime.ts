// The memory manager for apps: objects come from the board's heap, and the compiler's own collector frees them. So the app needs
// no memory beyond its heap, and the board cuts the rest of the page. asconfig.json chooses it. The collector runs after each call of the app, when no function has references in
// its local variables, so there is no stack of them: that is what a stackSize below 0 means to the compiler (0 is its default).

import "rt/tcms";

// @ts-ignore: decorator
@external("env", "malloc") declare function malloc(size: usize): usize;
// @ts-ignore: decorator
@external("env", "realloc") declare function realloc(block: usize, size: usize): usize;
// @ts-ignore: decorator
@external("env", "free") declare function free(block: usize): void;

// @ts-ignore: decorator
@global @unsafe
function __alloc(size: usize): usize {
  const block = malloc(size);
  if (!block) unreachable();
  return block;
}

// @ts-ignore: decorator
@global @unsafe
function __realloc(block: usize, size: usize): usize {
  const larger = realloc(block, size);
  if (!larger) unreachable();
  return larger;
}

// @ts-ignore: decorator
@global @unsafe
function __free(block: usize): void {
  free(block);
}
