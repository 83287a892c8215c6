/** Makes runs of a subject that follow each other in one memory. */
import { KernelMemory, clearUsed, isAboutResources } from "../kernel/index.ts";
import { ownerOf } from "./labels.ts";
import type { Experience } from "./random.ts";
import { type Decide, type Replay, type ReplayOptions, type Subject, replay } from "./replay.ts";

export class Player {
  readonly #subject: Subject;
  readonly #memory = new KernelMemory();
  #last: Replay | undefined;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  play(decide: Decide, options: Omit<ReplayOptions, "memory">): Replay {
    if (this.#last !== undefined) clearUsed(this.#last.result.machine.kernel);
    this.#last = replay(this.#subject, decide, { ...options, memory: this.#memory });
    return this.#last;
  }

  /** The run in which nobody interferes tells how long the others are. */
  playUndisturbed(): Replay & { readonly experience: Experience } {
    const steps = new Map<string, number>();
    const played = this.play(
      ({ candidates, kernel }) => {
        const first = candidates?.all[0];
        if (first !== undefined && first !== "clock") {
          const owner = ownerOf(kernel, first);
          steps.set(owner, (steps.get(owner) ?? 0) + 1);
        }
        return 0;
      },
      { records: false },
    );
    const count = (isCounted: (what: string) => boolean): number => played.choices.filter(({ what }) => isCounted(what)).length;
    return { ...played, experience: { schedules: count((what) => what === "schedule"), scarce: count(isAboutResources), steps } };
  }
}
