/** Secure devices and security descriptors. */
import { beforeAll, describe, expect, test } from "vitest";
import { parseSddl } from "../../src/kernel/sddl.ts";
import { type Case, allHolds, buildCases, verdict } from "./c-cases.ts";

const SHARED = `
#include <wdmsec.h>
static NTSTATUS Secure(const UNICODE_STRING *sddl) {
  UNICODE_STRING name, link;
  PDEVICE_OBJECT device = (PDEVICE_OBJECT)1;
  RtlInitUnicodeString(&name, L"\\\\Device\\\\Secure");
  RtlInitUnicodeString(&link, L"\\\\DosDevices\\\\Secure");
  NTSTATUS status = IoCreateDeviceSecure(TheDriver, 16, &name, FILE_DEVICE_NETWORK, 0, FALSE, sddl, NULL, &device);
  if (status != STATUS_SUCCESS) return device == NULL ? status : STATUS_UNSUCCESSFUL;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return IoCreateSymbolicLink(&link, &name);
}
static NTSTATUS SecureText(const WCHAR *text) { UNICODE_STRING s; RtlInitUnicodeString(&s, text); return Secure(&s); }
`;

const CASES = {
  admitted: `CHECK(Secure(&SDDL_DEVOBJ_SYS_ALL_ADM_ALL) == STATUS_SUCCESS);`,
  systemOnly: `CHECK(Secure(&SDDL_DEVOBJ_SYS_ALL) == STATUS_SUCCESS);`,
  kernelOnly: `CHECK(Secure(&SDDL_DEVOBJ_KERNEL_ONLY) == STATUS_SUCCESS);`,
  refused: `
    CHECK(SecureText(L"D:(A;;GA;;;SY)") == STATUS_INVALID_PARAMETER && SecureText(L"") == STATUS_INVALID_PARAMETER);
    CHECK(SecureText(L"D:P(A;;GQ;;;SY)") == STATUS_INVALID_PARAMETER && SecureText(L"D:P(D;;GA;;;SY)") == STATUS_INVALID_PARAMETER);
    CHECK(SecureText(L"D:P(A;;0x10;;;S-1-5-32-556)") == STATUS_SUCCESS);`,
  descriptor: `
    SECURITY_DESCRIPTOR descriptor;
    struct { UCHAR revision, sbz; USHORT size; ULONG more; } acl = {2, 0, 8, 0};
    CHECK(RtlCreateSecurityDescriptor(&descriptor, 2) == STATUS_UNKNOWN_REVISION);
    CHECK(RtlCreateSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) == STATUS_SUCCESS && RtlLengthSecurityDescriptor(&descriptor) == 20);
    CHECK(RtlSetDaclSecurityDescriptor(&descriptor, TRUE, (PACL)&acl, FALSE) == STATUS_SUCCESS && RtlLengthSecurityDescriptor(&descriptor) == 28);
    CHECK(RtlSetDaclSecurityDescriptor(&descriptor, FALSE, NULL, FALSE) == STATUS_SUCCESS && RtlLengthSecurityDescriptor(&descriptor) == 20);
    descriptor.Control |= SE_SELF_RELATIVE;
    CHECK(RtlSetDaclSecurityDescriptor(&descriptor, TRUE, NULL, FALSE) == STATUS_INVALID_SECURITY_DESCR);`,
} as const;

let run: Case<keyof typeof CASES>;
beforeAll(async () => {
  run = await buildCases(SHARED, CASES);
});

/** Runs the case, then an application opens the device, which must end so. */
function opens(name: keyof typeof CASES, expected: string) {
  return verdict(
    run(name, {
      scenario: {
        name,
        summary: "",
        actions: [
          { do: "load", driver: 0 },
          { do: "call", driver: 0, function: "Exercise", args: [Object.keys(CASES).indexOf(name)] },
          { do: "open", file: "f", device: "\\\\.\\Secure", expect: expected as "STATUS_SUCCESS" },
          { do: "settle" },
        ],
      },
    }),
  );
}

describe("A secure device", () => {
  test("is opened by an application that its description admits, as far as the driver takes the request", () => {
    expect(opens("admitted", "STATUS_INVALID_DEVICE_REQUEST")).toEqual(allHolds);
  });

  test.each(["systemOnly", "kernelOnly"] as const)(
    "is closed to an application that its description does not admit: %s",
    (name) => {
      expect(opens(name, "STATUS_ACCESS_DENIED")).toEqual(allHolds);
    },
  );

  test("is not created with a string that describes no security", () => {
    expect(verdict(run("refused"))).toEqual(allHolds);
  });

  test("has entries with rights by codes or by number", () => {
    expect(parseSddl("D:P(A;;GRGW;;;BA)(A;;0x1f;;;WD)")).toEqual([
      { access: 0xc000_0000, sid: "BA" },
      { access: 0x1f, sid: "WD" },
    ]);
  });
});

describe("A security descriptor", () => {
  test("is made of a revision that is known, gets an ACL unless it is self-relative, and has a length", () => {
    expect(verdict(run("descriptor"))).toEqual(allHolds);
  });
});
