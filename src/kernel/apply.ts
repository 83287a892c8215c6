/** Calls with the words of an array as arguments. Written out for the usual lengths: a spread costs about as much as a short routine. */

type Words = readonly number[];

/** `body(first, ...args)`. */
export function applyWith<T, R>(body: (first: T, ...args: number[]) => R, first: T, args: Words): R {
  switch (args.length) {
    case 0:
      return body(first);
    case 1:
      return body(first, args[0] ?? 0);
    case 2:
      return body(first, args[0] ?? 0, args[1] ?? 0);
    case 3:
      return body(first, args[0] ?? 0, args[1] ?? 0, args[2] ?? 0);
    case 4:
      return body(first, args[0] ?? 0, args[1] ?? 0, args[2] ?? 0, args[3] ?? 0);
    default:
      return body(first, ...args);
  }
}

/** `code(...args)`. */
export function applyWords<R>(code: (...args: number[]) => R, args: Words): R {
  switch (args.length) {
    case 0:
      return code();
    case 1:
      return code(args[0] ?? 0);
    case 2:
      return code(args[0] ?? 0, args[1] ?? 0);
    case 3:
      return code(args[0] ?? 0, args[1] ?? 0, args[2] ?? 0);
    case 4:
      return code(args[0] ?? 0, args[1] ?? 0, args[2] ?? 0, args[3] ?? 0);
    default:
      return code(...args);
  }
}

/** A function of `count` parameters that passes them on as unsigned words; WebAssembly's integers arrive signed. */
export function takingWords(count: number, take: (args: number[]) => number): (...args: number[]) => number {
  switch (count) {
    case 0:
      return () => take([]);
    case 1:
      return (a = 0) => take([a >>> 0]);
    case 2:
      return (a = 0, b = 0) => take([a >>> 0, b >>> 0]);
    case 3:
      return (a = 0, b = 0, c = 0) => take([a >>> 0, b >>> 0, c >>> 0]);
    case 4:
      return (a = 0, b = 0, c = 0, d = 0) => take([a >>> 0, b >>> 0, c >>> 0, d >>> 0]);
    default:
      return (...args) => take(args.map((word) => word >>> 0));
  }
}
