/** The drivers into which defects are put, and what is done to them. The driver's slot is 0, its counterpart's is 1. */
import type { Action } from "../machine/actions.ts";
import { stockScenarios } from "../machine/stock-scenarios.ts";
import { call, inParallel, load, settle, takeDown } from "../machine/stock-support.ts";
import type { SeededDriver } from "./seeded-driver.ts";

const DRIVER = 0;
const COUNTERPART = 1;

const SLOT_OF_MINIPORT = { protocol: COUNTERPART, miniport: DRIVER };

/** With everything running before, and taken down after. */
const running = (kind: "protocol" | "miniport", actions: readonly Action[]): Action[] => [
  load(COUNTERPART),
  load(DRIVER),
  { do: "start adapter", driver: SLOT_OF_MINIPORT[kind], adapter: 0 },
  settle,
  ...actions,
  ...takeDown(DRIVER, COUNTERPART),
];

function stock(kind: "protocol" | "miniport", name: string): readonly Action[] {
  const found = stockScenarios.find((each) => each.fits === kind && each.name === name);
  if (found === undefined) throw new Error(`no stock scenario for a ${kind} is called ${name}`);
  return found.actions(DRIVER, COUNTERPART);
}

const unbind: Action = { do: "unbind", adapter: 0, driver: DRIVER };
const pauseAndRestart: readonly Action[] = [{ do: "pause", adapter: 0 }, { do: "restart", adapter: 0 }, settle];
const exercise = call(DRIVER, "Exercise");

export const seededDrivers: readonly SeededDriver[] = [
  {
    name: "pending-protocol",
    source: "examples/c/pending-protocol.c",
    counterpart: "src/machine/counterparts/miniport.c",
    scenarios: {
      failures: stock("protocol", "failures"),
      "send-and-unbind": running("protocol", [inParallel(exercise), unbind, settle]),
      "send-and-pause": running("protocol", [inParallel(exercise), ...pauseAndRestart]),
      "unbinds-itself": stock("protocol", "unbinds-itself"),
    },
  },
  {
    name: "port-miniport",
    source: "examples/c/port-miniport.c",
    counterpart: "src/machine/counterparts/protocol.c",
    scenarios: {
      failures: stock("miniport", "failures"),
      "send-and-pause": running("miniport", [inParallel(call(COUNTERPART, "Send", 1)), ...pauseAndRestart]),
    },
  },
  {
    name: "counterpart-miniport",
    source: "src/machine/counterparts/miniport.c",
    counterpart: "src/machine/counterparts/protocol.c",
    isAmple: true,
    scenarios: {
      "send-and-pause": running("miniport", [inParallel(call(COUNTERPART, "Send", 1)), ...pauseAndRestart]),
      "receive-and-pause": running("miniport", [inParallel(call(DRIVER, "Inject", 1)), ...pauseAndRestart]),
      "held-sends": running("miniport", [
        call(DRIVER, "HoldSends", 1),
        call(COUNTERPART, "Send", 1),
        inParallel(call(COUNTERPART, "CancelSends", 0)),
        call(DRIVER, "HoldSends", 0),
        settle,
      ]),
    },
  },
  {
    name: "counterpart-protocol",
    source: "src/machine/counterparts/protocol.c",
    counterpart: "src/machine/counterparts/miniport.c",
    isAmple: true,
    scenarios: {
      "send-and-pause": running("protocol", [inParallel(call(DRIVER, "Send", 1)), ...pauseAndRestart]),
      "receive-and-pause": running("protocol", [inParallel(call(COUNTERPART, "Inject", 1)), ...pauseAndRestart]),
      unbind: running("protocol", [unbind, settle]),
      "send-and-unbind": running("protocol", [inParallel(call(DRIVER, "Send", 1)), unbind, settle]),
    },
  },
  {
    name: "unbind-protocol",
    source: "bench/unbind/protocol.c",
    counterpart: "bench/unbind/miniport.c",
    scenarios: {
      "send-and-unbind": running("protocol", [inParallel(exercise), inParallel(exercise), unbind, settle]),
    },
  },
  {
    name: "queueing-protocol",
    source: "bench/seeded/queueing-protocol.c",
    counterpart: "bench/unbind/miniport.c",
    functions: ["QueueSend", "FlushNow", "CancelNow"],
    scenarios: {
      "queue-and-unbind": running("protocol", [inParallel(call(DRIVER, "QueueSend")), unbind, settle]),
      "queue-and-pause": running("protocol", [call(DRIVER, "QueueSend"), ...pauseAndRestart, call(DRIVER, "QueueSend")]),
      "queue-and-cancel": running("protocol", [call(DRIVER, "QueueSend"), inParallel(call(DRIVER, "CancelNow"))]),
      "two-flush": running("protocol", [
        call(DRIVER, "QueueSend"),
        inParallel(call(DRIVER, "FlushNow")),
        inParallel(call(DRIVER, "FlushNow")),
        settle,
      ]),
    },
  },
  {
    name: "working-miniport",
    source: "bench/seeded/working-miniport.c",
    counterpart: "src/machine/counterparts/protocol.c",
    scenarios: {
      "send-and-pause": running("miniport", [inParallel(call(COUNTERPART, "Send", 1)), ...pauseAndRestart]),
      "ask-and-cancel": running("miniport", [
        inParallel(call(COUNTERPART, "Ask")),
        call(COUNTERPART, "CancelRequest", 0),
        settle,
      ]),
      "ask-and-send": running("miniport", [inParallel(call(COUNTERPART, "Send", 1)), call(COUNTERPART, "Ask"), settle]),
      failures: stock("miniport", "failures"),
    },
  },
];
