import { expect, it } from "vitest";
import { asCalled } from "./program-name.ts";

const asPlugin = { NFTPOL_CALLED_AS: "kubectl-nftpol" };

it.each([
  ["Usage: nftpol VERB [options]", "Usage: kubectl nftpol VERB [options]"],
  ["Usage: nftpol render [options]", "Usage: kubectl nftpol render [options]"],
  ["(nftpol --help shows what there is)", "(kubectl nftpol --help shows what there is)"],
  ["helm template shop | nftpol render -f - | nft -f -", "helm template shop | kubectl nftpol render -f - | nft -f -"],
  ["Prints what nftpol would load.", "Prints what nftpol would load."],
  ["kubectl -n kube-system exec ds/nftpol -- nftpol status", "kubectl -n kube-system exec ds/nftpol -- nftpol status"],
])("called by kubectl, %j reads %j", (text, shown) => {
  expect(asCalled(text, asPlugin)).toBe(shown);
  expect(asCalled(text, {})).toBe(text);
});
