/**
 * The page "Unbinding from an Adapter", one test for each of its sentences, in the page's order, with a driver in C and one in TypeScript.
 * What NDIS guarantees is read from the trace; what a driver must do is done by a driver that is clean and broken by one that is reported.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { RunResult } from "../../src/verifier/run.ts";
import { BEHAVIOUR, COMMAND } from "./drivers/unbinder.ts";
import {
  AT_ONCE,
  type Answers,
  COMPLETED_BEFORE_RETURN,
  COUNTERPART,
  DRIVER,
  LANGUAGES,
  PENDING_THEN_COMPLETED,
  SECOND,
  type Stacks,
  answersOf,
  bind,
  breaches,
  buildStacks,
  callsOf,
  entriesOf,
  exercise,
  expectAlwaysClean,
  expectClean,
  load,
  pause,
  play,
  restart,
  settle,
  start,
  statesOf,
  stop,
  story,
  unbind,
  unload,
} from "./support.ts";

type Actions = Parameters<typeof play>[1];
type Behaviour = keyof typeof BEHAVIOUR;

let stacks: Stacks;
beforeAll(async () => {
  stacks = await buildStacks("unbinder");
});

const behave = (...what: readonly Behaviour[]) =>
  exercise(
    COMMAND.Behave,
    what.reduce((flags, each) => flags | BEHAVIOUR[each], 0),
  );

/** Both drivers are loaded and the protocol is bound to adapter 0, which runs. */
const bound: Actions = [load(COUNTERPART), load(DRIVER), start(COUNTERPART), settle];
const takenDown: Actions = [settle, stop(), settle, unload(DRIVER), unload(COUNTERPART), settle];
const UNBIND = `driver ${DRIVER} is unbound from adapter 0`;
const EXERCISE = `driver ${DRIVER} is told to run Exercise`;

/** An unbind of a running binding, then everything is taken down. */
const unbindOnce = (...what: readonly Behaviour[]): Actions => [behave(...what), ...bound, unbind(DRIVER), ...takenDown];

const CLOSE_ANSWERS = [
  ["at once", AT_ONCE],
  ["pending, completed after the call returns", PENDING_THEN_COMPLETED],
  ["pending, completed before the call returns", COMPLETED_BEFORE_RETURN],
] as const;
const closing = (answer: number): Answers => ({ NdisCloseAdapterEx: answer });
const RUN_ITEM_FIRST: Answers = { "NdisUnbindAdapter: the work item runs before the call returns": 1 };

/** What a driver is told whose unbind is complete without a close of the binding. */
const notClosed = ["close-context-lifetime @ free", "unbind-must-close @ unbind handler"];

/** The first argument of each call or handler of that name. */
const firstArguments = (result: RunResult, name: string, from?: string): number[] =>
  callsOf(result, name, from).map(({ args }) => args[0] ?? 0);

describe.each(LANGUAGES)("Unbinding from an Adapter: a protocol in %s", (language) => {
  const playHere = (actions: Actions, answers: Answers = {}): RunResult => play(stacks[language], actions, answers);
  const isAlwaysClean = (actions: Actions): void => expectAlwaysClean(stacks[language], actions);

  describe("NDIS calls ProtocolUnbindAdapterEx to ask a protocol to unbind from the adapter below it", () => {
    test("when somebody unbinds the protocol", () => {
      const result = playHere([...bound, unbind(DRIVER)]);
      expectClean(result);
      expect(story(result, ["ProtocolUnbindAdapterEx"], { from: UNBIND })).toEqual([
        "ProtocolUnbindAdapterEx",
        "ProtocolUnbindAdapterEx = SUCCESS",
      ]);
    });

    test("when the adapter is stopped, before the miniport halts it", () => {
      const result = playHere([...bound, stop()]);
      expectClean(result);
      expect(story(result, ["ProtocolUnbindAdapterEx", "MiniportHaltEx"], { from: "adapter 0 stops" })).toEqual([
        "ProtocolUnbindAdapterEx",
        "ProtocolUnbindAdapterEx = SUCCESS",
        "MiniportHaltEx",
        "MiniportHaltEx = SUCCESS",
      ]);
    });

    test("when the protocol deregisters, before that call returns", () => {
      const result = playHere([...bound, unload(DRIVER)]);
      expectClean(result);
      expect(story(result, ["NdisDeregisterProtocolDriver", "ProtocolUnbindAdapterEx"])).toEqual([
        "NdisDeregisterProtocolDriver",
        "ProtocolUnbindAdapterEx",
        "ProtocolUnbindAdapterEx = SUCCESS",
        "NdisDeregisterProtocolDriver = SUCCESS",
      ]);
    });

    test("and asks nobody who is not bound", () => {
      const result = playHere([load(COUNTERPART), load(DRIVER), unload(DRIVER)]);
      expectClean(result);
      expect(callsOf(result, "ProtocolUnbindAdapterEx")).toEqual([]);
    });
  });

  describe("it is the counterpart of ProtocolBindAdapterEx: the binding is closed, and what the driver allocated for it is released", () => {
    test("every bind that succeeded is followed by one unbind with the context that the bind gave", () => {
      const result = playHere([...bound, unbind(DRIVER), bind(), settle, unbind(DRIVER), ...takenDown]);
      expectClean(result);
      const contexts = callsOf(result, "NdisOpenAdapterEx").map(({ args }) => args[1]);
      expect(contexts).toHaveLength(2);
      expect(callsOf(result, "ProtocolUnbindAdapterEx").map(({ args }) => args[1])).toEqual(contexts);
    });

    test("a bind that failed is followed by none", () => {
      const result = playHere([behave("FailsBind"), ...bound, ...takenDown]);
      expectClean(result);
      expect(callsOf(result, "ProtocolBindAdapterEx")).toHaveLength(1);
      expect(callsOf(result, "ProtocolUnbindAdapterEx")).toEqual([]);
    });

    test("a driver that releases its resources is clean", () => {
      isAlwaysClean(unbindOnce());
    });

    test("a driver that keeps them is reported where it allocated them", () => {
      expect(breaches(playHere(unbindOnce("KeepsMemory")))).toEqual(["leak-memory @ allocate"]);
    });
  });

  describe("in ProtocolUnbindAdapterEx the protocol calls NdisCloseAdapterEx", () => {
    test("between the call of the handler and its return", () => {
      const result = playHere(unbindOnce());
      expectClean(result);
      expect(story(result, ["ProtocolUnbindAdapterEx", "NdisCloseAdapterEx"], { from: UNBIND })).toEqual([
        "ProtocolUnbindAdapterEx",
        "NdisCloseAdapterEx",
        "NdisCloseAdapterEx = SUCCESS",
        "ProtocolUnbindAdapterEx = SUCCESS",
      ]);
    });

    test("a driver that succeeds without having closed is reported: it frees what is still open, and leaves it open", () => {
      expect(breaches(playHere(unbindOnce("DoesNotClose")))).toEqual(notClosed);
    });

    test("a driver that pends and completes without having closed is reported too", () => {
      expect(breaches(playHere(unbindOnce("DoesNotClose", "PendsUnbind")))).toEqual(notClosed);
    });

    test("a driver that closes and then fails the unbind is reported: an unbind cannot fail", () => {
      expect(breaches(playHere(unbindOnce("FailsUnbind")))).toEqual(["unbind-cannot-fail @ unbind handler"]);
    });
  });

  describe("it passes the handle that NdisOpenAdapterEx provided", () => {
    test("the handle that was written when the adapter was opened closes the binding", () => {
      const result = playHere([...bound, exercise(COMMAND.HandleOf, 0), unbind(DRIVER), ...takenDown]);
      expectClean(result);
      expect(answersOf(result)).toHaveLength(1);
      expect(firstArguments(result, "NdisCloseAdapterEx")).toEqual(answersOf(result));
    });

    test("a driver that passes another handle is reported: the binding is not closed", () => {
      const result = playHere(unbindOnce("ClosesWrongHandle"));
      expect(breaches(result)).toEqual(["trap @ close a wrong handle", ...notClosed]);
    });
  });

  describe("the handle says which binding NDIS is to close", () => {
    const twoAdapters: Actions = [...bound, start(COUNTERPART, 1), settle];
    const stopTwo: Actions = [settle, stop(0), stop(1), settle, unload(DRIVER), unload(COUNTERPART), settle];

    test("one protocol on two adapters: the other binding stays open and runs", () => {
      const result = playHere([
        ...twoAdapters,
        exercise(COMMAND.HandleOf, 0),
        exercise(COMMAND.HandleOf, 1),
        unbind(DRIVER, 1),
        settle,
        ...stopTwo,
      ]);
      expectClean(result);
      const [first, second] = answersOf(result);
      expect(first).not.toBe(second);
      const unbound = `driver ${DRIVER} is unbound from adapter 1`;
      expect(firstArguments(result, "NdisCloseAdapterEx", unbound)).toEqual([second, first]);
      expect(story(result, ["binding", "MiniportHaltEx"], { from: unbound }).slice(0, 4)).toEqual([
        "binding: Running -> Pausing",
        "binding: Pausing -> Paused",
        "binding: Paused -> Closing",
        "binding: Closing -> Unbound",
      ]);
    });

    test("two protocols on one adapter: only the one that is unbound closes", () => {
      const result = playHere([
        load(COUNTERPART),
        load(DRIVER),
        load(SECOND),
        start(COUNTERPART),
        settle,
        unbind(SECOND),
        settle,
      ]);
      expectClean(result);
      const told = { from: `driver ${SECOND} is unbound from adapter 0` };
      expect(story(result, ["ProtocolUnbindAdapterEx", "NdisCloseAdapterEx"], { ...told, driver: DRIVER })).toEqual([]);
      expect(story(result, ["ProtocolUnbindAdapterEx", "NdisCloseAdapterEx"], { ...told, driver: SECOND })).toEqual([
        "ProtocolUnbindAdapterEx",
        "NdisCloseAdapterEx",
        "NdisCloseAdapterEx = SUCCESS",
        "ProtocolUnbindAdapterEx = SUCCESS",
      ]);
    });

    test("a driver that closes another of its bindings is reported: that one may not be closed, and this one was not", () => {
      const result = playHere([behave("ClosesFirstBinding"), ...twoAdapters, unbind(DRIVER, 1), ...stopTwo]);
      expect(breaches(result)).toEqual(["close-only-from-bind-or-unbind @ close another binding", ...notClosed]);
    });
  });

  describe("an adapter must be closed from ProtocolBindAdapterEx or ProtocolUnbindAdapterEx", () => {
    test("a driver that closes it in its bind, which then fails, is clean", () => {
      isAlwaysClean([behave("FailsBind"), ...bound, ...takenDown]);
      const result = playHere([behave("FailsBind"), ...bound, ...takenDown]);
      expect(story(result, ["ProtocolBindAdapterEx", "NdisCloseAdapterEx", "binding"])).toEqual([
        "binding: Unbound -> Opening",
        "ProtocolBindAdapterEx",
        "NdisCloseAdapterEx",
        "NdisCloseAdapterEx = SUCCESS",
        "ProtocolBindAdapterEx = FAILURE",
        "binding: Opening -> Unbound",
      ]);
    });

    test("a driver that closes it in its unbind is clean", () => {
      isAlwaysClean(unbindOnce());
    });

    test("a driver that closes it outside of any handler is reported at that call", () => {
      const result = playHere([...bound, exercise(COMMAND.CloseOutside, 0), unbind(DRIVER), ...takenDown]);
      expect(breaches(result)).toEqual(["close-only-from-bind-or-unbind @ close outside"]);
    });

    test("a driver that closes it when it is told to pause is reported at that call", () => {
      const result = playHere(unbindOnce("ClosesInPause"));
      expect(breaches(result)).toEqual(["close-only-from-bind-or-unbind @ close in pause"]);
    });
  });

  describe("a protocol that wants to close a binding itself can call NdisUnbindAdapter", () => {
    test("the binding that it names is unbound", () => {
      const result = playHere([...bound, exercise(COMMAND.HandleOf, 0), exercise(COMMAND.UnbindItself, 0), ...takenDown]);
      expectClean(result);
      expect(firstArguments(result, "NdisUnbindAdapter")).toEqual([answersOf(result)[0]]);
      expect(callsOf(result, "ProtocolUnbindAdapterEx")).toHaveLength(1);
      expect(story(result, ["binding", "MiniportHaltEx"]).slice(-3)).toEqual([
        "binding: Closing -> Unbound",
        "MiniportHaltEx",
        "MiniportHaltEx = SUCCESS",
      ]);
    });

    test("a driver that does is clean", () => {
      isAlwaysClean([...bound, exercise(COMMAND.UnbindItself, 0), ...takenDown]);
    });
  });

  describe("NdisUnbindAdapter schedules a work item that leads to the call of ProtocolUnbindAdapterEx", () => {
    test("the handler is called on another thread than the one that asked", () => {
      const result = playHere([...bound, exercise(COMMAND.UnbindItself, 0), ...takenDown]);
      expectClean(result);
      const [asked] = callsOf(result, "NdisUnbindAdapter");
      const [called] = callsOf(result, "ProtocolUnbindAdapterEx");
      expect(called).toBeDefined();
      expect(called?.thread).not.toBe(asked?.thread);
    });

    test("when it cannot be scheduled, the call says so and the binding stays", () => {
      const result = playHere([...bound, exercise(COMMAND.UnbindItself, 0), settle], { "NdisUnbindAdapter: no resources": 1 });
      expectClean(result);
      expect(story(result, ["NdisUnbindAdapter"])).toEqual(["NdisUnbindAdapter", "NdisUnbindAdapter = RESOURCES"]);
      expect(statesOf(result, "binding")).toBe("Unbound -> Opening -> Paused -> Restarting -> Running");
    });

    test.each([
      ["of the protocol", exercise(COMMAND.UnbindItself, 0)],
      ["of somebody else", unbind(DRIVER)],
      ["to stop the adapter", stop()],
      ["of the driver's unload", unload(DRIVER)],
    ] as const)("a second request, %s, leads to no second call", (_whose, second) => {
      const result = playHere([...bound, exercise(COMMAND.UnbindItself, 0), second, settle]);
      expectClean(result);
      expect(callsOf(result, "ProtocolUnbindAdapterEx")).toHaveLength(1);
    });
  });

  describe("the work item can run before NdisUnbindAdapter returns", () => {
    const actions: Actions = [...bound, exercise(COMMAND.UnbindItself, 0), ...takenDown];
    const names = ["NdisUnbindAdapter", "ProtocolUnbindAdapterEx", "binding"];

    test("it may: the binding is gone when the call returns", () => {
      const result = playHere(actions, RUN_ITEM_FIRST);
      expectClean(result);
      expect(story(result, names, { from: EXERCISE })).toEqual([
        "NdisUnbindAdapter",
        "binding: Running -> Pausing",
        "binding: Pausing -> Paused",
        "binding: Paused -> Closing",
        "ProtocolUnbindAdapterEx",
        "ProtocolUnbindAdapterEx = SUCCESS",
        "binding: Closing -> Unbound",
        "NdisUnbindAdapter = SUCCESS",
      ]);
    });

    test("it need not: the call returns, and the binding is unbound later", () => {
      const result = playHere(actions);
      expectClean(result);
      expect(story(result, names, { from: EXERCISE })).toEqual([
        "NdisUnbindAdapter",
        "NdisUnbindAdapter = SUCCESS",
        "binding: Running -> Pausing",
        "binding: Pausing -> Paused",
        "binding: Paused -> Closing",
        "ProtocolUnbindAdapterEx",
        "ProtocolUnbindAdapterEx = SUCCESS",
        "binding: Closing -> Unbound",
      ]);
    });
  });

  describe("the binding handle must be taken as invalid when NdisUnbindAdapter has returned", () => {
    const uses: Actions = [...bound, exercise(COMMAND.UnbindAndUse, 0), ...takenDown];
    const reported = ["unbindadapter-handle-invalid-on-return @ use the handle after the unbind was asked for"];

    test("a driver that uses it is reported when the unbind has been faster", () => {
      expect(breaches(playHere(uses, RUN_ITEM_FIRST))).toEqual(reported);
    });

    test("a driver that uses it is reported also when the unbind is still to come", () => {
      expect(breaches(playHere(uses))).toEqual(reported);
    });

    test("the driver's own unbind handler, which closes with it, is not", () => {
      for (const answers of [RUN_ITEM_FIRST, {}]) {
        const result = playHere([...bound, exercise(COMMAND.UnbindItself, 0), ...takenDown], answers);
        expectClean(result);
        expect(firstArguments(result, "NdisCloseAdapterEx")).toEqual(firstArguments(result, "NdisUnbindAdapter"));
      }
    });
  });

  describe("a protocol that answers NDIS_STATUS_PENDING to the unbind must call NdisCompleteUnbindAdapterEx", () => {
    test("a driver that completes it inside its handler is clean", () => {
      const result = playHere(unbindOnce("PendsUnbind"));
      expectClean(result);
      expect(
        story(result, ["ProtocolUnbindAdapterEx", "NdisCompleteUnbindAdapterEx", "binding"], { from: UNBIND }).slice(-5),
      ).toEqual([
        "ProtocolUnbindAdapterEx",
        "NdisCompleteUnbindAdapterEx",
        "NdisCompleteUnbindAdapterEx = SUCCESS",
        "ProtocolUnbindAdapterEx = PENDING",
        "binding: Closing -> Unbound",
      ]);
    });

    test("a driver that completes it later is clean", () => {
      const result = playHere(unbindOnce("PendsUnbind", "CompletesOnWorker"));
      expectClean(result);
      expect(
        story(result, ["ProtocolUnbindAdapterEx", "NdisCompleteUnbindAdapterEx", "binding"], { from: UNBIND }).slice(-5),
      ).toEqual([
        "ProtocolUnbindAdapterEx",
        "ProtocolUnbindAdapterEx = PENDING",
        "NdisCompleteUnbindAdapterEx",
        "NdisCompleteUnbindAdapterEx = SUCCESS",
        "binding: Closing -> Unbound",
      ]);
    });

    test("whatever NDIS and the miniport do late, both are clean", () => {
      isAlwaysClean(unbindOnce("PendsUnbind"));
      isAlwaysClean(unbindOnce("PendsUnbind", "CompletesOnWorker"));
    });

    test("it is completed with the UnbindContext that the handler got", () => {
      const result = playHere(unbindOnce("PendsUnbind"));
      expect(firstArguments(result, "NdisCompleteUnbindAdapterEx")).toEqual(firstArguments(result, "ProtocolUnbindAdapterEx"));
    });

    test.each(CLOSE_ANSWERS)(
      "a driver that never completes it hangs and is reported at its handler (close: %s)",
      (_name, answer) => {
        const result = playHere(unbindOnce("PendsUnbind", "ForgetsComplete"), closing(answer));
        expect(result.outcome.kind).toBe("hung");
        expect(breaches(result)).toEqual(["unbind-pending-must-complete @ unbind handler"]);
      },
    );

    test("a driver that completes it twice is reported at the second call", () => {
      expect(breaches(playHere(unbindOnce("PendsUnbind", "CompletesTwice")))).toEqual([
        "unbind-complete-only-if-pending @ complete again",
      ]);
    });

    test("a driver that completes it and then returns success is reported at its handler", () => {
      const result = playHere(unbindOnce("CompletesWithoutPending"));
      expect(breaches(result)).toEqual(["unbind-complete-only-if-pending @ unbind handler"]);
    });
  });

  describe("when NdisCloseAdapterEx answers NDIS_STATUS_PENDING, NDIS calls ProtocolCloseAdapterCompleteEx later", () => {
    const names = ["ProtocolUnbindAdapterEx", "NdisCloseAdapterEx", "ProtocolCloseAdapterCompleteEx"];

    test("after the call has returned", () => {
      const result = playHere(unbindOnce(), closing(PENDING_THEN_COMPLETED));
      expectClean(result);
      expect(story(result, names, { from: UNBIND })).toEqual([
        "ProtocolUnbindAdapterEx",
        "NdisCloseAdapterEx",
        "NdisCloseAdapterEx = PENDING",
        "ProtocolCloseAdapterCompleteEx",
        "ProtocolCloseAdapterCompleteEx = SUCCESS",
        "ProtocolUnbindAdapterEx = SUCCESS",
      ]);
    });

    test("or on another thread, before the call has returned", () => {
      const result = playHere(unbindOnce(), closing(COMPLETED_BEFORE_RETURN));
      expectClean(result);
      expect(story(result, names, { from: UNBIND })).toEqual([
        "ProtocolUnbindAdapterEx",
        "NdisCloseAdapterEx",
        "ProtocolCloseAdapterCompleteEx",
        "ProtocolCloseAdapterCompleteEx = SUCCESS",
        "NdisCloseAdapterEx = PENDING",
        "ProtocolUnbindAdapterEx = SUCCESS",
      ]);
      const [closed] = callsOf(result, "NdisCloseAdapterEx");
      const [completed] = callsOf(result, "ProtocolCloseAdapterCompleteEx");
      expect(completed?.thread).not.toBe(closed?.thread);
    });

    test("with the context that the driver gave to NdisOpenAdapterEx", () => {
      const result = playHere(unbindOnce(), closing(PENDING_THEN_COMPLETED));
      expect(firstArguments(result, "ProtocolCloseAdapterCompleteEx")).toEqual(
        callsOf(result, "NdisOpenAdapterEx").map(({ args }) => args[1]),
      );
    });

    test("and does not call it for a close that was complete at once", () => {
      const result = playHere(unbindOnce(), closing(AT_ONCE));
      expectClean(result);
      expect(callsOf(result, "ProtocolCloseAdapterCompleteEx")).toEqual([]);
    });

    test("a driver that succeeds without waiting for it is reported at its handler", () => {
      const result = playHere(unbindOnce("DoesNotWaitForClose"), closing(PENDING_THEN_COMPLETED));
      expect(breaches(result)).toEqual(["unbind-success-requires-close-done @ unbind handler"]);
      expectClean(playHere(unbindOnce("DoesNotWaitForClose"), closing(AT_ONCE)));
    });

    test("a driver that completes a pended unbind without waiting for it is reported at that call", () => {
      const result = playHere(unbindOnce("PendsUnbind", "CompletesBeforeClose"), closing(PENDING_THEN_COMPLETED));
      expect(breaches(result)).toEqual(["unbind-complete-after-cleanup @ complete"]);
      expectClean(playHere(unbindOnce("PendsUnbind", "CompletesBeforeClose"), closing(AT_ONCE)));
    });

    test("a driver that frees the context before it is reported where it does", () => {
      const result = playHere(unbindOnce("FreesBeforeCloseIsComplete"), closing(PENDING_THEN_COMPLETED));
      expect(breaches(result)).toEqual(["close-context-lifetime @ free before the close is complete"]);
      expectClean(playHere(unbindOnce("FreesBeforeCloseIsComplete"), closing(AT_ONCE)));
    });
  });

  describe("NDIS calls ProtocolUnbindAdapterEx when the binding is Paused", () => {
    const names = ["binding", "ProtocolNetPnPEvent", "ProtocolUnbindAdapterEx"];

    test("a binding that runs is paused first", () => {
      const result = playHere(unbindOnce());
      expectClean(result);
      expect(story(result, names, { from: UNBIND, driver: DRIVER })).toEqual([
        "binding: Running -> Pausing",
        "ProtocolNetPnPEvent",
        "ProtocolNetPnPEvent = SUCCESS",
        "binding: Pausing -> Paused",
        "binding: Paused -> Closing",
        "ProtocolUnbindAdapterEx",
        "ProtocolUnbindAdapterEx = SUCCESS",
        "binding: Closing -> Unbound",
      ]);
    });

    test("the call waits until a pause that pends is complete", () => {
      const result = playHere(unbindOnce("PendsPause"));
      expectClean(result);
      expect(story(result, [...names, "NdisCompleteNetPnPEvent"], { from: UNBIND, driver: DRIVER })).toEqual([
        "binding: Running -> Pausing",
        "ProtocolNetPnPEvent",
        "ProtocolNetPnPEvent = PENDING",
        "NdisCompleteNetPnPEvent",
        "NdisCompleteNetPnPEvent = SUCCESS",
        "binding: Pausing -> Paused",
        "binding: Paused -> Closing",
        "ProtocolUnbindAdapterEx",
        "ProtocolUnbindAdapterEx = SUCCESS",
        "binding: Closing -> Unbound",
      ]);
    });

    test("a binding that is Paused is not paused again", () => {
      const result = playHere([...bound, pause(), unbind(DRIVER), restart(), ...takenDown]);
      expectClean(result);
      expect(story(result, names, { from: UNBIND, driver: DRIVER })).toEqual([
        "binding: Paused -> Closing",
        "ProtocolUnbindAdapterEx",
        "ProtocolUnbindAdapterEx = SUCCESS",
        "binding: Closing -> Unbound",
      ]);
    });

    test.each([
      ["the adapter stops", [stop()]],
      ["the protocol deregisters", [unload(DRIVER)]],
      ["the protocol asks for it", [exercise(COMMAND.UnbindItself, 0), settle]],
    ] as const)("it is Paused also when %s", (_name, actions) => {
      const result = playHere([...bound, ...actions]);
      expectClean(result);
      expect(statesOf(result, "binding")).toBe(
        "Unbound -> Opening -> Paused -> Restarting -> Running -> Pausing -> Paused -> Closing -> Unbound",
      );
      const called = entriesOf(result).findIndex(
        ({ kind, ...entry }) => kind === "handler" && "name" in entry && entry.name === "ProtocolUnbindAdapterEx",
      );
      const before = entriesOf(result)
        .slice(0, called)
        .findLast((entry) => entry.kind === "state" && entry.object === "binding");
      expect(before).toMatchObject({ from: "Paused", to: "Closing" });
    });
  });

  describe("when all the operations of the unbind are complete, the binding is Unbound", () => {
    const names = [
      "ProtocolUnbindAdapterEx",
      "NdisCloseAdapterEx",
      "ProtocolCloseAdapterCompleteEx",
      "NdisCompleteUnbindAdapterEx",
      "binding",
    ];
    const last = (result: RunResult): string[] => {
      const told = story(result, names, { from: UNBIND });
      return told.slice(told.indexOf("binding: Paused -> Closing"));
    };

    test.each(CLOSE_ANSWERS)("not before the unbind handler has returned (close: %s)", (_name, answer) => {
      const result = playHere(unbindOnce(), closing(answer));
      expectClean(result);
      expect(last(result).slice(-2)).toEqual(["ProtocolUnbindAdapterEx = SUCCESS", "binding: Closing -> Unbound"]);
    });

    test.each(CLOSE_ANSWERS)("not before an unbind that pends is completed (close: %s)", (_name, answer) => {
      const result = playHere(unbindOnce("PendsUnbind", "CompletesOnWorker"), closing(answer));
      expectClean(result);
      const told = last(result);
      const gone = told.indexOf("binding: Closing -> Unbound");
      expect(told.indexOf("NdisCompleteUnbindAdapterEx")).toBeGreaterThan(0);
      expect(gone).toBeGreaterThan(told.indexOf("NdisCompleteUnbindAdapterEx"));
      expect(gone).toBeGreaterThan(told.indexOf("ProtocolCloseAdapterCompleteEx"));
      expect(gone).toBeGreaterThan(told.indexOf("ProtocolUnbindAdapterEx = PENDING"));
    });

    test("not before a close that pends is complete, though the unbind is", () => {
      const result = playHere(unbindOnce("PendsUnbind", "CompletesBeforeClose"), closing(PENDING_THEN_COMPLETED));
      expect(last(result)).toEqual([
        "binding: Paused -> Closing",
        "ProtocolUnbindAdapterEx",
        "NdisCloseAdapterEx",
        "NdisCloseAdapterEx = PENDING",
        "NdisCompleteUnbindAdapterEx",
        "NdisCompleteUnbindAdapterEx = SUCCESS",
        "ProtocolUnbindAdapterEx = PENDING",
        "ProtocolCloseAdapterCompleteEx",
        "ProtocolCloseAdapterCompleteEx = SUCCESS",
        "binding: Closing -> Unbound",
      ]);
    });

    test("and only then may the protocol bind again", () => {
      const actions: Actions = [
        behave("PendsUnbind", "CompletesOnWorker"),
        ...bound,
        unbind(DRIVER),
        bind(),
        settle,
        ...takenDown,
      ];
      const result = playHere(actions, closing(PENDING_THEN_COMPLETED));
      expectClean(result);
      const told = story(result, ["binding", "ProtocolBindAdapterEx"], { from: UNBIND });
      expect(told.slice(3, 6)).toEqual(["binding: Closing -> Unbound", "binding: Unbound -> Opening", "ProtocolBindAdapterEx"]);
    });
  });
});
