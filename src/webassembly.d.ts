/** The part of the WebAssembly JavaScript interface that is used here; Node's types leave it to the browser's. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum: number });
    readonly buffer: ArrayBuffer;
  }
  class Table {
    constructor(descriptor: { initial: number; maximum: number; element: "anyfunc" });
    get(index: number): ((...args: number[]) => number | undefined) | null;
    set(index: number, value: unknown): void;
  }
  class Global {
    constructor(descriptor: { value: "i32"; mutable: boolean }, value: number);
    value: number;
  }
  class RuntimeError extends Error {}
}
