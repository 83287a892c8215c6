/**
 * The systematic search: every transition from every state, those that cost little first.
 *
 * Within a rung (so many preemptions, so many faults) it goes depth first. What would cost more waits for the rung that allows it, so that a rung
 * that is done says: all runs of at most that cost. The last rungs do not count preemptions: when they are done, there is no run left.
 */
import { type Cost, type Choice, costOf, isWithin, nothing, plus } from "./costs.ts";
import type { Place, Transition, TransitionSystem } from "./transition-system.ts";
import { Visited } from "./visited.ts";

/** At most so many; infinite preemptions: they are not counted. */
export type Rung = Cost;

export interface Failure {
  /** All picks from the start. */
  readonly picks: readonly number[];
  readonly cost: Cost;
  readonly transition: Transition;
}

export interface SearchCounts {
  /** Different ones, the current thread left out. */
  readonly states: number;
  readonly transitions: number;
  /** Transitions that led to a state which was known. */
  readonly merged: number;
  /** Ends of runs. */
  readonly ends: number;
  /** Transitions known of that no finished rung allowed. */
  readonly waiting: number;
}

/** A state, or what is before the first one. */
interface Node {
  readonly parent: Node | undefined;
  /** What leads here from the parent. */
  readonly script: readonly number[];
  readonly key: string;
  readonly cost: Cost;
  /** Dropped where memory is short: then it is reached again from an earlier one. */
  copy: Place | undefined;
}

/** A transition that is known of, and not taken yet. */
interface Item {
  readonly node: Node;
  readonly script: readonly number[];
  readonly cost: Cost;
}

export interface SearchHooks {
  readonly onFailure: (failure: Failure) => void;
  /** Asked between two transitions. */
  readonly mustStop: () => boolean;
  /** Left out: states that are equal are one. A test compares it with the search that takes them all for different. */
  readonly merges?: boolean;
}

/** What copies may take, in blocks of 1 KiB. */
const MAX_BLOCKS = 1_000_000;

export class Search {
  readonly #system: TransitionSystem;
  readonly #hooks: SearchHooks;
  /** With the thread that could go on: to let it costs nothing. */
  readonly #visitedByThread = new Visited();
  readonly #visited = new Visited();
  readonly #start: Node = { parent: undefined, script: [], key: "", cost: nothing, copy: undefined };
  readonly #copies: Copies = new Copies(MAX_BLOCKS);
  #waiting: readonly Item[] = [{ node: this.#start, script: [], cost: nothing }];
  readonly #stack: Item[] = [];
  /** Where the machine is. */
  #at: Node | undefined;
  #transitions = 0;
  #merged = 0;
  #ends = 0;

  constructor(system: TransitionSystem, hooks: SearchHooks) {
    this.#system = system;
    this.#hooks = hooks;
  }

  get counts(): SearchCounts {
    return {
      states: this.#visited.size,
      transitions: this.#transitions,
      merged: this.#merged,
      ends: this.#ends,
      waiting: this.#waiting.length + this.#stack.length,
    };
  }

  /** Whether every transition has been taken. */
  get isComplete(): boolean {
    return this.#waiting.length === 0 && this.#stack.length === 0;
  }

  /** Whether something waits that this rung allows. */
  hasWork(rung: Rung): boolean {
    return this.#stack.length > 0 || this.#waiting.some(({ cost }) => isWithin(cost, rung));
  }

  /** True: all runs within the rung have been made. False: it was stopped, and goes on when it is called again. */
  run(rung: Rung): boolean {
    const isAllowed = ({ cost }: Item): boolean => isWithin(cost, rung);
    const found = this.#waiting.filter(isAllowed);
    this.#stack.push(...(isUnbounded(rung) ? withoutRepeats(found) : found).toReversed());
    this.#waiting = this.#waiting.filter((item) => !isAllowed(item));
    const later: Item[] = [];
    let isStopped = false;
    for (let item = this.#stack.pop(); item !== undefined && !isStopped; item = this.#stack.pop()) {
      this.#take(item, rung, later);
      isStopped = this.#hooks.mustStop();
      if (isStopped) break;
    }
    this.#waiting = [...this.#waiting, ...later];
    return this.#stack.length === 0;
  }

  #take({ node, script }: Item, rung: Rung, later: Item[]): void {
    const transition = this.#execute(node, script);
    this.#transitions += 1;
    const { picks } = transition;
    const push = (from: Node, to: readonly number[], cost: Cost): void => {
      const item = { node: from, script: to, cost };
      (isWithin(cost, rung) ? this.#stack : later).push(item);
    };
    // What was picked after the script, in the same transition, could have been something else.
    for (let index = picks.length - 1; index >= script.length; index -= 1) pushOthers(node, picks, index, push);
    const cost = plus(node.cost, costOfAll(picks));
    const path = picks.map(({ picked }) => picked);
    if (transition.findings.length > 0) this.#hooks.onFailure({ picks: [...pathTo(node), ...path], cost, transition });
    if (transition.outcome === undefined) this.#arrive(node, path, cost, rung, push);
    else this.#ends += 1;
  }

  /** In a state: unless it is known, all that can be done from it is to be done. */
  #arrive(
    parent: Node,
    script: readonly number[],
    cost: Cost,
    rung: Rung,
    push: (from: Node, to: readonly number[], cost: Cost) => void,
  ): void {
    const key = this.#hooks.merges === false ? String(this.#transitions) : this.#system.key();
    if (!this.#isNew(key, cost, rung)) {
      this.#merged += 1;
      return;
    }
    const node: Node = { parent, script, key, cost, copy: this.#system.copy() };
    this.#copies.add(node);
    this.#at = node;
    const { all, couldGoOn } = this.#system.candidates();
    const hasClock = all.at(-1) === "clock";
    // Where one candidate is left, nobody is asked.
    if (all.length === 1) push(node, [], cost);
    for (let picked = all.length - 1; picked >= 0 && all.length > 1; picked -= 1) {
      push(node, [picked], plus(cost, costOf({ what: "schedule", count: all.length, picked, couldGoOn, hasClock })));
    }
  }

  #isNew(key: string, cost: Cost, rung: Rung): boolean {
    const isNewAtAll = this.#visited.add(key, { preemptions: 0, faults: cost.faults });
    return isUnbounded(rung) ? isNewAtAll : this.#visitedByThread.add(`${key} ${this.#system.currentThread()}`, cost);
  }

  #execute(node: Node, script: readonly number[]): Transition {
    if (node === this.#start) {
      this.#at = undefined;
      return this.#system.begin(script);
    }
    if (this.#at !== node) this.#enter(node);
    this.#at = undefined;
    return this.#system.take(script);
  }

  /** Puts the machine into the state, from the nearest copy before it. */
  #enter(node: Node): void {
    const way: Node[] = [];
    let from: Node = node;
    while (from.copy === undefined && from.parent !== undefined) {
      way.push(from);
      from = from.parent;
    }
    if (from.copy !== undefined) this.#system.restore(from.copy);
    for (const { parent, script } of way.toReversed()) {
      if (parent === this.#start) this.#system.begin(script);
      else this.#system.take(script);
    }
  }
}

/** The states whose copies are kept; where there are too many, those that were made first are dropped. */
class Copies {
  readonly #most: number;
  readonly #nodes: Node[] = [];
  #dropped = 0;
  #blocks = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(node: Node): void {
    this.#nodes.push(node);
    this.#blocks += node.copy?.state?.changed ?? 0;
    while (this.#blocks > this.#most && this.#dropped < this.#nodes.length - 1) {
      const oldest = this.#nodes[this.#dropped];
      this.#dropped += 1;
      if (oldest === undefined) continue;
      this.#blocks -= oldest.copy?.state?.changed ?? 0;
      oldest.copy = undefined;
    }
    if (this.#dropped > this.#nodes.length / 2) {
      this.#nodes.splice(0, this.#dropped);
      this.#dropped = 0;
    }
  }
}

const isUnbounded = ({ preemptions }: Rung): boolean => preemptions === Number.POSITIVE_INFINITY;

const costOfAll = (picks: readonly Choice[]): Cost => picks.map(costOf).reduce(plus, nothing);

function pushOthers(
  node: Node,
  picks: readonly Choice[],
  index: number,
  push: (from: Node, to: readonly number[], cost: Cost) => void,
): void {
  const before = picks.slice(0, index);
  const pick = picks[index];
  if (pick === undefined) return;
  const base = plus(node.cost, costOfAll(before));
  for (let picked = pick.count - 1; picked >= 1; picked -= 1) {
    push(node, [...before.map((each) => each.picked), picked], plus(base, costOf({ ...pick, picked })));
  }
}

/** The same pick from the same state is one, however many ways led there. */
function withoutRepeats(items: readonly Item[]): Item[] {
  const known = new Map<string, Item>();
  for (const item of items) {
    const key = `${item.node.key} ${item.script.join(" ")}`;
    const other = known.get(key);
    if (other === undefined || item.cost.faults < other.cost.faults) known.set(key, item);
  }
  return [...known.values()];
}

/** All picks from the start. */
function pathTo(node: Node): number[] {
  const scripts: (readonly number[])[] = [];
  for (let at: Node | undefined = node; at !== undefined; at = at.parent) scripts.push(at.script);
  return scripts.toReversed().flat();
}
