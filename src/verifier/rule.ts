/**
 * Rules: watchers over the trace, with an idea of the truth of their own.
 *
 * A rule names the entries it wants; a run makes only entries that some rule wants. Its title, page, severity and codes are those of the contract
 * table under its id. What a rule remembers lies in shadow memory (shadow.ts), so that it is copied and restored with the machine.
 */
import type { Race } from "../cdriver/checks/host.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Entry, EntryOf } from "../kernel/trace.ts";
import type { Left } from "./left-things.ts";
import type { RelatedPlace, Thing } from "./origins.ts";
import type { Shadow, ShadowTable } from "./shadow.ts";

/** What a rule found; the runner adds place and story. */
export interface Finding {
  readonly rule: string;
  /** One sentence or two: what happened, to which object, what was expected. */
  readonly message: string;
  /** Slot of the accused driver; left out: the driver whose code runs. */
  readonly driver?: number;
  /** The documentation leaves it open: a warning, though no should of the contract. */
  readonly isWarning?: boolean;
  /** Function to blame when no call of the driver is under way: where its handler begins. */
  readonly target?: number;
  /** The run ended with it: somebody has to be shown, even if no code of a driver under test was running. */
  readonly isEnd?: boolean;
  /** A thread that waits: the place is the call in which it does. */
  readonly thread?: number;
  /** Address of a block: the place is where it was allocated. */
  readonly allocation?: number;
  /** What it is about: a recorded run tells who made each, and who gave it back. */
  readonly things?: readonly Thing[];
  /** What a driver has not given back: a recorded run tells of what each call made apart. `routine` is the one that made all of it. */
  readonly left?: {
    readonly things: readonly Left[];
    readonly say: (things: readonly Left[], routine?: string) => string;
  };
  /** Address of what is counted: a recorded run tells how often which places took it and gave it back. */
  readonly counted?: number;
  /** A thread that holds locks which it should have released: a recorded run tells where it acquired them. */
  readonly heldBy?: number;
  readonly race?: Race;
  /** Further places that the rule itself knows. */
  readonly related?: readonly RelatedPlace[];
}

export interface RuleContext {
  readonly k: Kernel;
  readonly shadow: Shadow;
  /** The rule is broken. `rule` is needed only in a file that judges several rules. */
  report(finding: Finding): void;
}

type Subject =
  | `call ${string}`
  | `return ${string}`
  | `handler ${string}`
  | `handler return ${string}`
  | `note ${string}`
  | `state ${string}`
  | "lock"
  | "call *"
  | "handler *"
  | "handler return *";

type EntryFor<S extends string> = S extends `handler return ${string}`
  ? EntryOf<"handler return">
  : S extends `handler ${string}`
    ? EntryOf<"handler">
    : S extends `call ${string}`
      ? EntryOf<"call">
      : S extends `return ${string}`
        ? EntryOf<"return">
        : S extends `note ${string}`
          ? EntryOf<"note">
          : S extends `state ${string}`
            ? EntryOf<"state">
            : S extends "lock"
              ? EntryOf<"lock">
              : Entry;

export interface Watcher {
  readonly subject: string;
  readonly judge: (context: RuleContext, entry: Entry) => void;
}

/** One watch of a rule: the entry has the type that its subject has. */
export function on<const S extends Subject>(subject: S, judge: (context: RuleContext, entry: EntryFor<S>) => void): Watcher {
  return { subject, judge: judge as Watcher["judge"] };
}

/** Rules that are judged together, since they look at the same entries. */
export interface RuleSet {
  readonly rules: readonly string[];
  readonly watchers: readonly Watcher[];
  readonly tables: readonly ShadowTable[];
}

export function ruleSet(rules: readonly string[], watchers: readonly Watcher[], tables: readonly ShadowTable[] = []): RuleSet {
  return { rules, watchers, tables };
}
