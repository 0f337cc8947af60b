// A process of its own: the least that a client of the API server can do, to compare the agent with. Reads the pods as a streaming list
// and prints `reading` when it has asked, `read BYTES` at the end, then goes on reading. Arguments: port; `bytes`, or `json` to parse every event, too.

import { get } from "node:http";

const [port, what] = process.argv.slice(2);
const END = "initial-events-end";
const LINE_END = 0x0a;
const path = "/api/v1/pods?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";

get({ host: "127.0.0.1", port, path }, (response) => {
  let bytes = 0;
  let rest: Buffer = Buffer.alloc(0);
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (what === "bytes") {
      // Events come as chunks of their own: the bookmark is small, and never in two parts.
      if (chunk.length < 1_000 && chunk.includes(END)) console.log(`read ${bytes}`);
      return;
    }
    let from = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, from)) {
      const line = rest.length === 0 ? chunk.subarray(from, end) : Buffer.concat([rest, chunk.subarray(from, end)]);
      rest = Buffer.alloc(0);
      from = end + 1;
      const event = JSON.parse(line.toString("utf8")) as { readonly type: string };
      if (event.type === "BOOKMARK") console.log(`read ${bytes}`);
    }
    if (from < chunk.length) rest = Buffer.concat([rest, chunk.subarray(from)]);
  });
});
console.log("reading");
