/**
 * Secure device objects, and security descriptors in drivers' memory.
 *
 * Pages: nf-wdmsec-wdmlibiocreatedevicesecure, nf-wdm-rtlcreatesecuritydescriptor, nf-wdm-rtlsetdaclsecuritydescriptor,
 * nf-wdm-rtllengthsecuritydescriptor.
 */
import { constant } from "../contract/index.ts";
import { type NewDevice, createDevice } from "./io/devices.ts";
import type { Kernel } from "./kernel.ts";
import { leaf, local } from "./routine.ts";
import { admitsApplications, parseSddl } from "./sddl.ts";
import { readGiven } from "./strings.ts";
import { windowsStruct } from "./windows.ts";

const Descriptor = windowsStruct("SECURITY_DESCRIPTOR");
const REVISION = constant("SECURITY_DESCRIPTOR_REVISION");
const DACL_PRESENT = constant("SE_DACL_PRESENT");
const SACL_PRESENT = constant("SE_SACL_PRESENT");
const DACL_DEFAULTED = constant("SE_DACL_DEFAULTED");
const SELF_RELATIVE = constant("SE_SELF_RELATIVE");

function createSecure(k: Kernel, wanted: NewDevice, sddl: number, variable: number): string {
  k.memory.writeU32(variable, 0);
  const entries = parseSddl(readGiven(k, sddl));
  // Undocumented: the status for a string that is none, and for a device without a name.
  if (entries === undefined || wanted.name === 0) return "STATUS_INVALID_PARAMETER";
  const device = createDevice(k, wanted);
  if (typeof device === "string") return device;
  device.isClosedToApplications = !admitsApplications(entries);
  k.memory.writeU32(variable, device.object);
  return "STATUS_SUCCESS";
}

function setDacl(k: Kernel, address: number, isPresent: number, dacl: number, isDefaulted: number): string {
  const descriptor = Descriptor.at(k.memory, address);
  if (descriptor.Revision !== REVISION) return "STATUS_UNKNOWN_REVISION";
  if ((descriptor.Control & SELF_RELATIVE) !== 0) return "STATUS_INVALID_SECURITY_DESCR";
  descriptor.Control &= ~(DACL_PRESENT | DACL_DEFAULTED);
  if ((isPresent & 0xff) === 0) return "STATUS_SUCCESS";
  descriptor.Control |= DACL_PRESENT | ((isDefaulted & 0xff) === 0 ? 0 : DACL_DEFAULTED);
  descriptor.Dacl = dacl;
  return "STATUS_SUCCESS";
}

/** A descriptor and what belongs to it, each part at a multiple of 4. */
function lengthOf(k: Kernel, address: number): number {
  const descriptor = Descriptor.at(k.memory, address);
  const base = (descriptor.Control & SELF_RELATIVE) === 0 ? 0 : address;
  const sidBytes = (sid: number): number => (sid === 0 ? 0 : 8 + (k.memory.u8[base + sid + 1] ?? 0) * 4);
  const aclBytes = (acl: number, flag: number): number =>
    acl === 0 || (descriptor.Control & flag) === 0 ? 0 : Math.ceil(k.memory.readU16(base + acl + 2) / 4) * 4;
  return (
    Descriptor.bytes +
    sidBytes(descriptor.Owner) +
    sidBytes(descriptor.Group) +
    aclBytes(descriptor.Sacl, SACL_PRESENT) +
    aclBytes(descriptor.Dacl, DACL_PRESENT)
  );
}

export const securityRoutines = [
  leaf(
    "IoCreateDeviceSecure",
    (k, driver, extensionBytes, name, type, characteristics = 0, exclusive = 0, sddl = 0, _guid = 0, variable = 0) =>
      createSecure(
        k,
        { driver, extensionBytes, name, type, characteristics, isExclusive: (exclusive & 0xff) !== 0 },
        sddl,
        variable,
      ),
  ),
  local("RtlCreateSecurityDescriptor", (k, address, revision) => {
    if (revision !== REVISION) return "STATUS_UNKNOWN_REVISION";
    k.memory.clear(address, Descriptor.bytes);
    Descriptor.at(k.memory, address).Revision = REVISION;
    return "STATUS_SUCCESS";
  }),
  local("RtlSetDaclSecurityDescriptor", (k, address, isPresent, dacl, isDefaulted = 0) =>
    setDacl(k, address, isPresent, dacl, isDefaulted),
  ),
  local("RtlLengthSecurityDescriptor", lengthOf),
];
