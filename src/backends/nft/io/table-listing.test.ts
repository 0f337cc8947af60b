// What is made of nft's answer when it is asked for a table.

import { expect, it } from "vitest";
import { withFakeNft } from "../../../../test/support/fake-nft.ts";
import { BackendError } from "../../backend.ts";
import { listTable } from "./table-listing.ts";

function listWith(script: string) {
  return withFakeNft(script, ({ binary }) => listTable("nftpol", { binary, timeoutMs: 10_000 }));
}

it("a table is read", async () => {
  const json = '{"nftables": [{"metainfo": {}}, {"table": {"family": "inet", "name": "nftpol", "handle": 1}}]}';
  expect(await listWith(`echo '${json}'`)).toMatchObject({ ruleset: { table: "nftpol" }, unknown: [] });
});

it("one that is not there is undefined", async () => {
  expect(await listWith("echo 'Error: No such file or directory' >&2; exit 1")).toBeUndefined();
});

// nft 1.0.6 looks for the word of the flag `owner` where it has none.
it.each([
  ["cut off", '{"nftables": [{"metainfo": {}}, {"table": {"family": "inet", "name": "nftpol", "flags": '],
  ["with bytes that are none of it", '{"nftables": [{"table": {"family": "inet", "name": "nftpol", "flags": "a"b"}}]}'],
  ["of another shape", '{"nftables": [{"set": {"name": "s", "type": "ipv4_addr", "elem": 7}}]}'],
])("an answer that is %s is an error that says who may be behind it", async (_name, json) => {
  const error = await listWith(`echo '${json}'`).catch((each: unknown) => each);
  expect(error).toBeInstanceOf(BackendError);
  expect(error).toMatchObject({
    kind: "broken",
    message: "nft does not list table inet nftpol in words that can be read",
    hint: expect.stringContaining("another process may own it"),
  });
});

it("nft that fails is its error", async () => {
  await expect(listWith("echo 'Operation not permitted' >&2; exit 1")).rejects.toMatchObject({ kind: "not-permitted" });
});
