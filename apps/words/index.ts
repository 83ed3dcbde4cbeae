// Strings and arrays in AssemblyScript: counts the words of a text and prints them sorted.
// AssemblyScript's strings are UTF-16 without a NUL at the end; what goes to C functions is encoded first.

@external("env", "puts")
declare function puts(text: usize): i32;

@external("env", "printf")
declare function printf(format: usize, values: usize): i32;

const TEXT = "the pump starts when the level is low and the pump stops when the level is high";

class Entry {
  constructor(public word: string, public times: i32) {}
}

function c(text: string): usize {
  return changetype<usize>(String.UTF8.encode(text, true));
}

function count(text: string): Entry[] {
  const entries: Entry[] = [];
  const words = text.split(" ");
  for (let i = 0; i < words.length; i++) {
    let found = false;
    for (let j = 0; j < entries.length && !found; j++) {
      if (entries[j].word == words[i]) {
        entries[j].times++;
        found = true;
      }
    }
    if (!found) entries.push(new Entry(words[i], 1));
  }
  return entries;
}

// Most frequent first, words of the same frequency in alphabetical order.
function compare(a: Entry, b: Entry): i32 {
  if (a.times != b.times) return b.times - a.times;
  return a.word < b.word ? -1 : 1;
}

/** How many different words the text has. */
export function differentWords(): i32 {
  return count(TEXT).length;
}

/** The length of the text's longest word. */
export function longestWord(): i32 {
  return TEXT.split(" ").reduce<i32>((longest, word) => max(longest, word.length), 0);
}

// A variadic C function takes the address of its values: 4 bytes each, 8 for i64 and f64 at a multiple of 8.
function printAverage(words: i32, average: f64): void {
  const values = new StaticArray<u64>(2);
  const start = changetype<usize>(values);
  store<i32>(start, words);
  store<f64>(start, average, 8);
  printf(c("%d words, %.3f letters on average\n"), start);
}

export function main(): i32 {
  const words = TEXT.split(" ");
  puts(c(words.slice(0, 4).join("·") + "…"));
  let letters = 0;
  for (let i = 0; i < words.length; i++) letters += words[i].length;
  printAverage(words.length, <f64>letters / words.length);

  const entries = count(TEXT);
  entries.sort(compare);
  for (let i = 0; i < 4; i++) puts(c(entries[i].word + ": " + entries[i].times.toString()));
  return 0;
}
