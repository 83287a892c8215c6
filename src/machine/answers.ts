/** Strategies that answer every choice in one way: how NDIS and the counterparts of a driver under test behave in a run. */
import { type Strategy, isAboutResources } from "../kernel/index.ts";

/** A choice that is about failing, or about who runs: these variants leave both alone. */
const isLeftAlone = (what: string): boolean => what === "schedule" || isAboutResources(what);

export interface AnswerVariant {
  readonly name: string;
  /** The pick for a choice among `count`; `before` is how often the run has come to this choice before. */
  readonly pick: (count: number, what: string, before: number) => number;
}

/** All at once; all pending, completed after the call; all pending, completed before the call returns. */
export const commonVariants: readonly AnswerVariant[] = [
  { name: "everything at once", pick: () => 0 },
  { name: "everything pending", pick: (_count, what) => (isLeftAlone(what) ? 0 : 1) },
  { name: "everything pending, completed before the call returns", pick: (count, what) => (isLeftAlone(what) ? 0 : count - 1) },
];

/** Failures that every driver must handle, and after which a scenario can go on. */
const FAILURES: ReadonlySet<string> = new Set(["NdisOpenAdapterEx: no resources", "NdisUnbindAdapter: no resources"]);

/** Each failure alone, at once and late. */
export function failureVariants(whats: Iterable<string>): AnswerVariant[] {
  return [...whats]
    .filter((what) => FAILURES.has(what))
    .flatMap((chosen) => [
      { name: `fails: ${chosen}`, pick: (_count: number, what: string) => (what === chosen ? 1 : 0) },
      {
        name: `fails late: ${chosen}`,
        pick: (_count: number, what: string) => (what === chosen || !isLeftAlone(what) ? 1 : 0),
      },
    ]);
}

/** Of the calls that could fail in one way, so many are failed from the first on, and the last: a loop of a thousand would say no more. */
const FIRST_CALLS = 6;

export interface SingleFailure extends AnswerVariant {
  /** Which of the calls fails, from 0 on. */
  readonly call: number;
}

/** One call finds no resources, in a run that is else of `variant`; `asked` is how often such a run came to each choice. */
export function singleFailures(variant: AnswerVariant, asked: ReadonlyMap<string, number>): SingleFailure[] {
  return [...asked]
    .filter(([what]) => isAboutResources(what))
    .flatMap(([chosen, times]) =>
      [...new Set([...Array(Math.min(times, FIRST_CALLS)).keys(), times - 1])].map((call) => ({
        call,
        name: `fails once: ${chosen}${times === 1 ? "" : `, call ${call + 1} of ${times}`}, with ${variant.name}`,
        pick: (count: number, what: string, before: number) =>
          what === chosen && before === call ? 1 : variant.pick(count, what, before),
      })),
    );
}

/** Only one kind of choice is answered late, the others at once; and the other way round. */
export function singleVariants(whats: Iterable<string>): AnswerVariant[] {
  return [...whats]
    .filter((what) => !isLeftAlone(what))
    .flatMap((chosen) => [
      { name: `late: ${chosen}`, pick: (count: number, what: string) => (what === chosen ? count - 1 : 0) },
      { name: `late: all but ${chosen}`, pick: (_count: number, what: string) => (what === chosen || isLeftAlone(what) ? 0 : 1) },
    ]);
}

/** The strategy of a variant for one run; each choice that it is asked is told to `seen`. */
export function strategyOf(variant: AnswerVariant, seen: (what: string, picked: number) => void = () => {}): Strategy {
  const asked = new Map<string, number>();
  return {
    choose: (count, what) => {
      const before = asked.get(what) ?? 0;
      asked.set(what, before + 1);
      const picked = Math.min(variant.pick(count, what, before), count - 1);
      seen(what, picked);
      return picked;
    },
    preempts: false,
    parksAlways: false,
  };
}
