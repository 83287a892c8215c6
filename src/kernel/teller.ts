/** Tells those who watch what happens. An entry is made only when somebody asked for its kind; the commonest are written out for speed. */
import type { Thread } from "./state.ts";
import type { Context, Entry, EntryBody, EntryOf, Watch, Watchers } from "./trace.ts";

export interface TellerOptions {
  readonly watchers: Watchers;
  readonly routines: readonly { readonly name: string }[];
  readonly handlers: readonly string[];
  /** The thread that runs now; undefined: none does. */
  readonly currentThread: () => Thread | undefined;
}

type Watches = readonly (readonly Watch[] | undefined)[];
type HandlerReturn = Omit<EntryOf<"handler return">, "kind" | "name" | "thread" | "irql" | "driver">;

export class Teller {
  readonly #watchers: Watchers;
  readonly #handlers: readonly string[];
  readonly #currentThread: () => Thread | undefined;
  readonly #calls: Watches;
  readonly #returns: Watches;
  readonly #handlerCalls: Watches;
  readonly #handlerReturns: Watches;
  readonly #locks: readonly Watch[] | undefined;
  readonly #hearsSteps: boolean;

  constructor({ watchers, routines, handlers, currentThread }: TellerOptions) {
    this.#watchers = watchers;
    this.#handlers = handlers;
    this.#currentThread = currentThread;
    this.#calls = routines.map(({ name }) => watchers.for("call", name));
    this.#returns = routines.map(({ name }) => watchers.for("return", name));
    this.#handlerCalls = handlers.map((name) => watchers.for("handler", name));
    this.#handlerReturns = handlers.map((name) => watchers.for("handler return", name));
    this.#locks = watchers.for("lock", "");
    this.#hearsSteps = watchers.hears("step");
  }

  call(thread: Thread, index: number, name: string, args: readonly number[]): void {
    const watch = this.#calls[index];
    if (watch === undefined) return;
    // Written out: an object that gets its context later costs several times as much.
    const { number, irql, driverNow } = thread;
    const entry: Entry = { thread: number, irql, driver: driverNow - 1, kind: "call", name, args };
    for (const each of watch) each(entry);
  }

  returned(index: number, name: string, result: number): void {
    const watch = this.#returns[index];
    if (watch !== undefined) this.#tell(watch, { kind: "return", name, result });
  }

  handler(index: number, target: number, args: readonly number[]): void {
    const watch = this.#handlerCalls[index];
    if (watch !== undefined) this.#tell(watch, { kind: "handler", name: this.#handlers[index] ?? "", target, args: [...args] });
  }

  /** `body` is made only if somebody watches. */
  handlerReturned(index: number, body: () => HandlerReturn): void {
    const watch = this.#handlerReturns[index];
    if (watch !== undefined) this.#tell(watch, { kind: "handler return", name: this.#handlers[index] ?? "", ...body() });
  }

  step(plan: string, sentence: string): void {
    if (!this.#hearsSteps) return;
    const watch = this.#watchers.for("step", plan);
    if (watch !== undefined) this.#tell(watch, { kind: "step", plan, sentence });
  }

  /** A lock was acquired, or is about to be released; `holder` had or has it. */
  lock(thread: Thread, lock: number, action: "acquire" | "release", holder: number, what: string): void {
    if (this.#locks === undefined) return;
    const { number, irql, driverNow } = thread;
    const entry: Entry = { thread: number, irql, driver: driverNow - 1, kind: "lock", what, lock, action, holder };
    for (const each of this.#locks) each(entry);
  }

  emit(kind: Entry["kind"], name: string, body: () => EntryBody): void {
    const watch = this.#watchers.for(kind, name);
    if (watch !== undefined) this.#tell(watch, body());
  }

  #tell(watch: readonly Watch[], body: EntryBody): void {
    const thread = this.#currentThread();
    const context: Context =
      thread === undefined
        ? { thread: 0, irql: 0, driver: -1 }
        : { thread: thread.number, irql: thread.irql, driver: thread.driverNow - 1 };
    const entry: Entry = Object.assign(body, context);
    for (const each of watch) each(entry);
  }
}
