/**
 * What the library tells those who watch. The library does what NDIS does and emits entries; rules judge, the recorder keeps,
 * reports show. An entry is made only when somebody asked for its kind.
 */

/** Where and in whose name something happened. Thread number, IRQL, and driver slot (-1: the system). */
export interface Context {
  readonly thread: number;
  readonly irql: number;
  readonly driver: number;
}

export type Entry = Context &
  (
    | { readonly kind: "call"; readonly name: string; readonly args: readonly number[] }
    | { readonly kind: "return"; readonly name: string; readonly result: number }
    | { readonly kind: "handler"; readonly name: string; readonly target: number; readonly args: readonly number[] }
    | {
        readonly kind: "handler return";
        readonly name: string;
        readonly target: number;
        readonly result: number;
        /** The driver whose handler it was (`driver` is the one below it on the thread). */
        readonly returning: number;
        readonly irqlBefore: number;
        readonly locksBefore: number;
        readonly locksAfter: number;
      }
    | { readonly kind: "step"; readonly plan: string; readonly sentence: string }
    | { readonly kind: "state"; readonly object: string; readonly address: number; readonly from: string; readonly to: string }
    | {
        readonly kind: "lock";
        /** "spin lock", "push lock", ... */
        readonly what: string;
        readonly lock: number;
        readonly action: "acquire" | "release";
        readonly holder: number;
      }
    | { readonly kind: "choice"; readonly what: string; readonly count: number; readonly picked: number }
    | { readonly kind: "switch"; readonly to: number }
    | { readonly kind: "note"; readonly what: string; readonly address: number; readonly value: number; readonly text: string }
    | { readonly kind: "end"; readonly what: string }
  );

export type EntryOf<K extends Entry["kind"]> = Extract<Entry, { kind: K }>;
type Distribute<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** An entry without its context. */
export type EntryBody = Distribute<Entry, keyof Context>;

export type Watch = (entry: Entry) => void;

/** Which entries somebody wants. Subjects: "call NdisMFreePort", "return *", "handler ProtocolBindAdapterEx", "state binding", "lock", ... */
export class Watchers {
  readonly #bySubject: ReadonlyMap<string, readonly Watch[]>;
  readonly #byKind: ReadonlyMap<string, readonly Watch[]>;
  /** What `for` has answered: subscriptions do not change. */
  readonly #known = new Map<string, Map<string, readonly Watch[]>>();
  /** Sees everything; set when a run is recorded. */
  readonly recorder: Watch | undefined;

  constructor(subscriptions: Iterable<readonly [subject: string, watch: Watch]> = [], recorder?: Watch) {
    const bySubject = new Map<string, Watch[]>();
    const byKind = new Map<string, Watch[]>();
    for (const [subject, watch] of subscriptions) {
      const map = subject.endsWith(" *") || !subjectIsNamed(subject) ? byKind : bySubject;
      const key = subject.replace(/ \*$/, "");
      map.set(key, [...(map.get(key) ?? []), watch]);
    }
    this.#bySubject = bySubject;
    this.#byKind = byKind;
    this.recorder = recorder;
  }

  /** Those who want entries of this kind about this name; undefined when nobody does. */
  for(kind: Entry["kind"], name: string): readonly Watch[] | undefined {
    let known = this.#known.get(kind);
    if (known === undefined) {
      known = new Map();
      this.#known.set(kind, known);
    }
    let watch = known.get(name);
    if (watch === undefined) {
      watch = this.#find(kind, name) ?? NOBODY;
      known.set(name, watch);
    }
    return watch === NOBODY ? undefined : watch;
  }

  /** Whether anybody wants entries of this kind. */
  hears(kind: Entry["kind"]): boolean {
    const isNamed = [...this.#bySubject.keys()].some((subject) => subject.startsWith(`${kind} `));
    return this.recorder !== undefined || this.#byKind.has(kind) || isNamed;
  }

  #find(kind: Entry["kind"], name: string): readonly Watch[] | undefined {
    const all = [
      ...(this.#byKind.get(kind) ?? []),
      ...(this.#bySubject.get(`${kind} ${name}`) ?? []),
      ...(this.recorder === undefined ? [] : [this.recorder]),
    ];
    return all.length === 0 ? undefined : all;
  }
}

const NOBODY: readonly Watch[] = [];

function subjectIsNamed(subject: string): boolean {
  return /^(call|return|handler|handler return|step|state|note) \S/.test(subject) && subject !== "handler return";
}
