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

/** Those who want entries of one kind. */
interface OfKind {
  /** About whatever name. */
  readonly all: Watch[];
  readonly named: Map<string, Watch[]>;
}

/** Which entries somebody wants. Subjects: "call NdisMFreePort", "return *", "handler ProtocolBindAdapterEx", "state binding", "lock", ... */
export class Watchers {
  readonly #byKind = new Map<string, OfKind>();
  /** Sees everything; set when a run is recorded. */
  readonly recorder: Watch | undefined;

  constructor(subscriptions: Iterable<readonly [subject: string, watch: Watch]> = [], recorder?: Watch) {
    this.recorder = recorder;
    for (const [subject, watch] of subscriptions) {
      const [, kind = subject, name] = NAMED.exec(subject) ?? [];
      const ofKind = this.#ofKind(kind);
      if (name === undefined || name === "*") ofKind.all.push(watch);
      else listIn(ofKind.named, name).push(watch);
    }
    // Who wants all of a kind is told first, and the recorder last.
    for (const { all, named } of this.#byKind.values()) {
      if (all.length > 0) for (const watches of named.values()) watches.unshift(...all);
      if (recorder === undefined) continue;
      all.push(recorder);
      for (const watches of named.values()) watches.push(recorder);
    }
  }

  /** Those who want entries of this kind about this name; undefined when nobody does. */
  for(kind: Entry["kind"], name: string): readonly Watch[] | undefined {
    const ofKind = this.#byKind.get(kind);
    if (ofKind === undefined) return this.recorder === undefined ? undefined : [this.recorder];
    return ofKind.named.get(name) ?? (ofKind.all.length === 0 ? undefined : ofKind.all);
  }

  /** Whether anybody wants entries of this kind. */
  hears(kind: Entry["kind"]): boolean {
    return this.recorder !== undefined || this.#byKind.has(kind);
  }

  #ofKind(kind: string): OfKind {
    const known = this.#byKind.get(kind) ?? { all: [], named: new Map() };
    this.#byKind.set(kind, known);
    return known;
  }
}

function listIn(lists: Map<string, Watch[]>, name: string): Watch[] {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}

/** A subject that names what it is about, or `*` for all of the kind. */
const NAMED = /^(handler return|call|return|handler|step|state|note|choice) (\S.*)$/;
