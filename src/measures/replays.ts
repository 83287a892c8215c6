/** Failures played again along their tokens: every time the same entries, byte for byte. */
import type { Found } from "../explorer/failures.ts";
import { Player } from "../explorer/player.ts";
import { type Subject, byToken } from "../explorer/replay.ts";
import { parseToken } from "../explorer/token.ts";

export const REPLAYS = 10;
/** Characters of a token of at most so many preemptions and faults. */
const LONGEST = { characters: 200, preemptions: 3, faults: 2 };

export class ReplayCount {
  tokens = 0;
  replays = 0;
  longest = 0;
  readonly problems: string[] = [];

  /** Plays each of the failures so often. */
  add(name: string, subject: Subject, failures: readonly Found[], times = REPLAYS): void {
    const player = new Player(subject);
    for (const found of failures) {
      this.tokens += 1;
      this.longest = Math.max(this.longest, found.token.length);
      if (isTooLong(found)) this.problems.push(`${name}: the token has ${found.token.length} characters: ${found.token}`);
      const first = entriesOf(player, found.token);
      this.replays += times;
      for (let count = 1; count < times; count += 1) {
        if (entriesOf(player, found.token) === first) continue;
        this.problems.push(`${name}: replay ${count + 1} is another run than the first: ${found.token}`);
        break;
      }
    }
  }
}

const isTooLong = ({ token, cost: { preemptions, faults } }: Found): boolean =>
  preemptions <= LONGEST.preemptions && faults <= LONGEST.faults && token.length > LONGEST.characters;

/** All that the run records, as text. Throws if it cannot follow the token. */
export function entriesOf(player: Player, token: string): string {
  const along = byToken(parseToken(token).deviations, ({ index }, found) => {
    throw new Error(`${token}: choice ${index} is another one: ${found}`);
  });
  const { result, deviations } = player.play(along, { records: true });
  if (deviations.length < parseToken(token).deviations.length) throw new Error(`${token}: some of its deviations found no place`);
  return JSON.stringify([result.entries, result.findings]);
}
