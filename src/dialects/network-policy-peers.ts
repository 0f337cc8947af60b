// One entry of `from` or `to` of a NetworkPolicy rule, with the API server's validation (ValidateNetworkPolicyPeer).

import { EVERYTHING } from "../model/labels.ts";
import type { NamespaceQuery, Peer } from "../model/policy.ts";
import { type CidrBlock, isStrictSubnet } from "../net/cidr.ts";
import { readCidr } from "./cidr-field.ts";
import type { Field } from "./field-reader.ts";
import { readSelector } from "./label-selectors.ts";

/** undefined (reported) when the entry is invalid. */
export function readPeer(item: Field, policyNamespace: string): Peer | undefined {
  const errorsBefore = item.findings.errorCount;
  const entry = item.asMapping();
  const fieldsKnown = entry.refuseUnknownFields(["podSelector", "namespaceSelector", "ipBlock"]);
  const pods = entry.member("podSelector");
  const namespaces = entry.member("namespaceSelector");
  const ipBlock = entry.member("ipBlock");
  const hasSelector = pods.present || namespaces.present;
  if (ipBlock.present && hasSelector) {
    ipBlock.error({
      code: "peer-ipblock-with-selectors",
      message: "ipBlock cannot stand in one peer with podSelector or namespaceSelector",
      hint: "make it a peer of its own: start it with '-'",
    });
    return undefined;
  }
  if (!ipBlock.present && !hasSelector) {
    if (fieldsKnown && item.findings.errorCount === errorsBefore) {
      item.error({
        code: "peer-empty",
        message: "a peer needs podSelector, namespaceSelector or ipBlock",
        hint: "for all pods of all namespaces write namespaceSelector: {}; for everything leave the whole list out",
      });
    }
    return undefined;
  }
  const peer = ipBlock.present ? readIpBlock(ipBlock) : readPodPeer(pods, namespaces, policyNamespace);
  return item.findings.errorCount === errorsBefore ? peer : undefined;
}

function readPodPeer(pods: Field, namespaces: Field, policyNamespace: string): Peer {
  const namespaceQuery: NamespaceQuery = namespaces.present
    ? { kind: "selector", selector: readSelector(namespaces) }
    : { kind: "name", name: policyNamespace };
  const podSelector = pods.present ? readSelector(pods) : EVERYTHING;
  return { kind: "pods", query: { namespaces: namespaceQuery, pods: podSelector } };
}

function readIpBlock(field: Field): Peer | undefined {
  const block = field.asMapping();
  if (!block.present) return undefined;
  block.refuseUnknownFields(["cidr", "except"]);
  const cidrField = block.member("cidr");
  if (!cidrField.present || cidrField.value === "") {
    cidrField.error({ code: "missing-field", message: "an ipBlock needs a cidr", hint: 'for example "10.0.0.0/8"' });
  }
  const cidr = readCidr(cidrField);
  const except: CidrBlock[] = [];
  for (const item of block.list("except")) {
    if (!item.present || item.value === "") {
      item.error({ code: "invalid-cidr", message: "an except entry is empty" });
      continue;
    }
    const hole = readCidr(item);
    if (hole === undefined || cidr === undefined) continue;
    if (!isStrictSubnet(hole, cidr)) {
      item.error({
        code: "except-outside-cidr",
        message:
          hole.text === cidr.text
            ? `except ${hole.text} is the whole cidr: it must be smaller`
            : `except ${hole.text} does not lie within the cidr ${cidr.text}`,
        hint: "except must be a strict subset of its own cidr",
      });
      continue;
    }
    except.push(hole);
  }
  return cidr === undefined ? undefined : { kind: "ipBlock", cidr, except };
}
