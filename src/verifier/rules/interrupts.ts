/** Rules of interrupts: when one is registered, and that it is deregistered. */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { Interrupt } from "../../ndis/interrupts.ts";
import { Adapter } from "../../ndis/objects.ts";
import { on, ruleSet } from "../rule.ts";

const Characteristics = windowsStruct("NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS");
const TYPE = constant("NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT");
const NDIS_6_20 = 20;
/** The service functions for a line, and those for messages, in that order. */
const LINE = ["InterruptHandler", "InterruptDpcHandler", "DisableInterruptHandler", "EnableInterruptHandler"] as const;
const MESSAGE = [
  "MessageInterruptHandler",
  "MessageInterruptDpcHandler",
  "DisableMessageInterruptHandler",
  "EnableMessageInterruptHandler",
] as const;

const interruptsOf = (k: Kernel, adapter: number): Interrupt[] =>
  k.objects.all(Interrupt).filter((interrupt) => interrupt.adapter?.address === adapter);

export const interruptRules = ruleSet(
  [
    "interrupt-register-in-init",
    "interrupt-handlers",
    "mp-init-interrupt-left",
    "mp-halt-deregister-interrupt",
    "interrupt-dpc-ex",
  ],
  [
    on("call NdisMRegisterInterruptEx", ({ k, report }, { args: [handle = 0, , address = 0] }) => {
      const adapter = k.objects.resolve(handle, Adapter);
      if (adapter === undefined) return;
      if (adapter.state !== "Initializing" || !adapter.hasRegistrationAttributes) {
        const when =
          adapter.state === "Initializing"
            ? "before the registration attributes were set"
            : `for an adapter that is ${adapter.state}`;
        report({
          rule: "interrupt-register-in-init",
          message: `NdisMRegisterInterruptEx was called ${when}. An interrupt is registered inside MiniportInitializeEx, after NdisMSetMiniportAttributes.`,
        });
      }
      const given = Characteristics.at(k.memory, address);
      if (given.Header_Type !== TYPE) return;
      const lacks = (names: typeof LINE | typeof MESSAGE): string[] => names.filter((name) => given[name] === 0);
      const isForMessages = given.MsiSupported !== 0;
      const missing = [...lacks(LINE), ...(isForMessages ? lacks(MESSAGE) : [])];
      if (missing.length === 0) return;
      report({
        rule: "interrupt-handlers",
        message: `NdisMRegisterInterruptEx was called without ${missing.join(" and ")}. The functions for a line are always given${isForMessages ? ", and with MsiSupported those for messages as well" : ""}.`,
      });
    }),
    on("note interrupt handled", ({ k, report }, { address, value: processors }) => {
      const { adapter, interruptHandler } = Interrupt.at(k.memory, address);
      const miniport = adapter?.miniport;
      if (processors === 0 || miniport === undefined || miniport.minorVersion < NDIS_6_20) return;
      report({
        rule: "interrupt-dpc-ex",
        message: `MiniportInterrupt set TargetProcessors to 0x${processors.toString(16)}. From NDIS 6.20 on it is zero, and NdisMQueueDpcEx queues the DPCs.`,
        driver: miniport.slot,
        target: interruptHandler,
      });
    }),
    on("note initialize returned", ({ k, report }, { address, value: status }) => {
      const { miniport } = Adapter.at(k.memory, address);
      const left = status === 0 ? [] : interruptsOf(k, address);
      if (left.length === 0) return;
      report({
        rule: "mp-init-interrupt-left",
        message: `MiniportInitializeEx failed, and ${left.length} interrupt(s) of the adapter are registered. NdisMDeregisterInterruptEx has to come first.`,
        driver: miniport?.slot ?? -1,
        target: miniport?.initialize ?? 0,
        things: left.map((each) => ({ address: each.address })),
      });
    }),
    on("note halt returned", ({ k, report }, { address }) => {
      const { miniport } = Adapter.at(k.memory, address);
      const left = interruptsOf(k, address);
      if (left.length === 0) return;
      report({
        rule: "mp-halt-deregister-interrupt",
        message: `MiniportHaltEx returned, and ${left.length} interrupt(s) of the adapter are registered. NdisMDeregisterInterruptEx has to come first.`,
        driver: miniport?.slot ?? -1,
        target: miniport?.halt ?? 0,
        things: left.map((each) => ({ address: each.address })),
      });
    }),
  ],
);
