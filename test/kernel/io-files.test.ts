import { beforeAll, describe, expect, test } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { close, goodStory, inAnyOrder, load, open, settle, unload } from "./io-support.ts";
import { buildDriver, call, inParallel } from "./support.ts";

let driver: MachineDriver;
beforeAll(async () => {
  driver = await buildDriver("files");
});

const wait: Action = { do: "wait", milliseconds: 1 };
const overlapped = { overlapped: true } as const;
/** A read that ends later; one byte: it has no cancel routine. */
const read = (request: string, expected = "STATUS_PENDING", bytes = 2, file = "f"): Action => ({
  do: "read",
  file,
  bytes,
  request,
  expect: expected,
});
const awaited = (request: string, expected: string): Action => ({ do: "await", request, expect: expected });
const cancel = (request: string, expected = "STATUS_SUCCESS"): Action => ({ do: "cancel", request, expect: expected });
const write: Action = { do: "write", file: "f", data: [1] };
const opened = (rest: string) => `create '${rest}' disposition 1 options 20 share 3 read 1 write 1`;
const ends = ["cleanup in process 8", "close"];
const printed = (...actions: Action[]) => goodStory(driver, load, ...actions, settle, unload).printed.slice(0, -1);

describe("Opening a device", () => {
  test("brings its driver IRP_MJ_CREATE with a file object, and the end of the handle IRP_MJ_CLEANUP and IRP_MJ_CLOSE", () => {
    expect(printed(open("Plain"), close)).toEqual([opened(""), ...ends]);
  });

  test.each(["\\\\.\\Plain", "\\\\?\\PLAIN", "\\Device\\Plain", "\\??\\Plain", "\\DosDevices\\Plain", "\\GLOBAL??\\Plain"])(
    "goes by any of its names: %s",
    (device) => {
      expect(printed(open("Plain", { device }), close)).toEqual([opened(""), ...ends]);
    },
  );

  test("with a path behind the device's name gives the driver that path", () => {
    expect(printed(open("Plain\\a\\b"), close)).toEqual([opened("\\a\\b"), ...ends]);
  });

  test("for overlapped requests, for one access, and with options of the application's own is what the driver sees", () => {
    const create = "create '' disposition 1 options 0 share 3 read 1 write 0";
    expect(printed(open("Plain", { overlapped: true, access: "read" }), close)).toEqual([create, ...ends]);
    expect(printed(open("Plain", { options: 0x40 }), close)[0]).toMatch(/options 60/);
  });

  test("with an extended attribute gives the driver its name and its value", () => {
    const attribute = { name: "Name", value: [7, 8] };
    expect(printed(open("Plain", { attribute }), close)).toEqual([opened(""), "attribute Name: 2 bytes, 7", ...ends]);
  });

  test("ends with the driver's status if it refuses, without a cleanup or a close", () => {
    expect(printed(open("Plain\\refuse", { expect: "STATUS_UNSUCCESSFUL" }))).toEqual([opened("\\refuse")]);
  });

  test("waits for a create request that is pending", () => {
    const late = [inParallel(open("Plain\\late")), wait, call("CompleteCreate"), settle, close];
    expect(printed(...late)).toEqual([opened("\\late"), ...ends]);
    inAnyOrder(driver, [load, ...late, settle, unload], 10);
  });

  test("needs a device of that name", () => {
    expect(printed(open("Nothing", { expect: "STATUS_OBJECT_NAME_NOT_FOUND" }))).toEqual([]);
  });
});

describe("A device", () => {
  test("has a name that no other may have, a cleared extension, and is not to be opened until it is initialized", () => {
    const again = open("Second", { expect: "STATUS_SUCCESS" });
    const told = goodStory(
      driver,
      load,
      call("Names"),
      open("Second", { expect: "STATUS_NO_SUCH_DEVICE" }),
      call("Ready"),
      again,
      close,
      settle,
      call("NoNames"),
      open("Second", { expect: "STATUS_OBJECT_NAME_NOT_FOUND" }),
      settle,
      unload,
    );
    expect([told.results[1], told.results[7]]).toEqual([0, 0]);
  });

  test("that is exclusive has one file at a time, whatever the path behind its name", () => {
    const refused = open("Only\\x", { file: "g", expect: "STATUS_ACCESS_DENIED" });
    expect(printed(open("Only"), refused, close, settle, open("Only"), close)).toHaveLength(6);
  });

  test("that is deleted while a file is open stays until the file is closed, and is found no more", () => {
    const gone = open("Only", { file: "g", expect: "STATUS_OBJECT_NAME_NOT_FOUND" });
    const told = printed(
      open("Only", overlapped),
      call("DeleteOnly"),
      gone,
      read("r"),
      write,
      awaited("r", "STATUS_SUCCESS"),
      close,
    );
    expect(told.slice(1)).toEqual(["read 2 by process 8", ...ends]);
  });
});

describe("A handle", () => {
  test("that is the last one of its file has the driver complete what it keeps for the file", () => {
    const told = printed(open("Plain", overlapped), read("r"), close, awaited("r", "STATUS_CANCELLED"));
    expect(told).toEqual([expect.any(String), "read 2 by process 8", "cleanup in process 8", "cleaned up", "close"]);
  });

  test("holds up the unload of the driver until it is closed", () => {
    const told = goodStory(driver, load, open("Plain"), inParallel(unload), wait, close, settle);
    expect(told.printed.slice(1)).toEqual([...ends, "unload"]);
  });
});

describe("Requests on a file", () => {
  test("that was opened for overlapped use come as they like", () => {
    const told = printed(
      open("Plain", overlapped),
      read("r"),
      read("s", "STATUS_PENDING", 3),
      write,
      write,
      awaited("r", "STATUS_SUCCESS"),
      awaited("s", "STATUS_SUCCESS"),
      close,
    );
    expect(told.slice(1, 3)).toEqual(["read 2 by process 8", "read 3 by process 8"]);
  });

  test("that was not opened for overlapped use come one after the other", () => {
    const second = inParallel({ do: "read", file: "f", bytes: 3 });
    const actions = [
      open("Plain"),
      inParallel({ do: "read", file: "f", bytes: 2 }),
      wait,
      second,
      wait,
      open("Plain", { file: "g" }),
      call("CompleteRead"),
      wait,
      call("CompleteRead"),
      settle,
      close,
      { do: "close", file: "g" } as const,
    ];
    expect(printed(...actions).filter((line) => !line.startsWith("c"))).toEqual(["read 2 by process 8", "read 3 by process 8"]);
    const inOrder = printed(...actions);
    expect(inOrder.indexOf("read 3 by process 8")).toBeGreaterThan(inOrder.lastIndexOf(opened("")));
    inAnyOrder(
      driver,
      [
        load,
        open("Plain"),
        inParallel({ do: "read", file: "f", bytes: 2 }),
        wait,
        call("CompleteRead"),
        settle,
        close,
        settle,
        unload,
      ],
      10,
    );
  });
});

describe("Cancelling", () => {
  test("calls the cancel routine of a request at DISPATCH_LEVEL with the cancel spin lock", () => {
    const told = printed(open("Plain", overlapped), read("r"), cancel("r"), awaited("r", "STATUS_CANCELLED"), close);
    expect(told).toContain("cancelled");
  });

  test("finds no request that is complete", () => {
    printed(open("Plain", overlapped), read("r"), write, cancel("r", "STATUS_NOT_FOUND"), awaited("r", "STATUS_SUCCESS"), close);
  });

  test("sets the cancel bit of a request without a cancel routine, which goes on", () => {
    const told = printed(
      open("Plain", overlapped),
      read("r", "STATUS_PENDING", 1),
      cancel("r"),
      write,
      awaited("r", "STATUS_SUCCESS"),
      close,
    );
    expect(told).not.toContain("cancelled");
  });

  test("ends a request that waits for its file, without its driver's seeing it", () => {
    const told = printed(
      open("Plain"),
      inParallel({ do: "read", file: "f", bytes: 2 }),
      wait,
      inParallel(read("s", "STATUS_CANCELLED", 3)),
      wait,
      cancel("s"),
      wait,
      awaited("s", "STATUS_CANCELLED"),
      call("CompleteRead"),
      settle,
      close,
    );
    expect(told).not.toContain("read 3 by process 8");
  });

  test("and completing a request meet in any order, and the request is completed once", () => {
    inAnyOrder(
      driver,
      [
        load,
        open("Plain", overlapped),
        read("r"),
        inParallel({ do: "cancel", request: "r" }),
        inParallel(call("CompleteAnyRead")),
        inParallel({ do: "close", file: "f" }),
        settle,
        { do: "await", request: "r" },
        settle,
        unload,
      ],
      80,
    );
  });
});

describe("The end of a process", () => {
  test("cancels its requests, then closes its handles", () => {
    const told = printed(open("Plain", { ...overlapped, process: 2 }), read("r"), open("Plain", { file: "g", process: 2 }), {
      do: "exit",
      process: 2,
    });
    expect(told.slice(1)).toEqual([
      "read 2 by process 12",
      opened(""),
      "cancelled",
      "cleanup in process 12",
      "close",
      "cleanup in process 12",
      "close",
    ]);
  });

  test("ends what waits for a file that is busy", () => {
    const told = printed(
      open("Plain"),
      inParallel({ do: "read", file: "f", bytes: 2 }),
      wait,
      inParallel({ do: "read", file: "f", bytes: 3 }),
      wait,
      { do: "exit" },
    );
    expect(told).not.toContain("read 3 by process 8");
    expect(told.at(-1)).toBe("close");
  });

  test("may come at any moment of a request", () => {
    const ending = [
      inParallel({ do: "exit" } as const),
      inParallel(call("CompleteAnyRead")),
      inParallel({ do: "cancel", request: "r" }),
    ];
    inAnyOrder(driver, [load, open("Plain", overlapped), read("r"), read("s"), ...ending, settle, unload], 80);
  });
});
