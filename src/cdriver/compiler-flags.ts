/** Flags that make what a driver does traceable to its lines, whatever the compiler. */

export const LINE_FLAGS: readonly string[] = [
  // What dwarf.ts reads; the second says how much, whatever `-g` came before.
  "-gdwarf-4",
  "-gline-tables-only",
  // A null pointer is dereferenced where the source says so, and what follows is not assumed impossible.
  "-fno-delete-null-pointer-checks",
  // Code of two places is not made one, so that a call or a trap has one line.
  ...["-enable-tail-merge=false", "-sink-common-insts=false", "-hoist-common-insts=false"].flatMap((option) => [
    "-mllvm",
    option,
  ]),
];

/** Code for every line and a branch for every condition, as they are written: the optimiser makes one of `if` and `else` now and then. */
export const BY_LINE_FLAGS: readonly string[] = ["-O0"];
