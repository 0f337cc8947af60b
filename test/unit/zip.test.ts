// scripts/zip.ts reads what other programs have packed, and notices damage.
import { describe, expect, it } from "vitest";
import { readZipEntry } from "../../scripts/zip.ts";

// Made by Python's zipfile: bin/stored ("as it is") and bin/deflated ("na", forty times).
const packed =
  "UEsDBBQAAAAAAAAAIVyzJE6WCAAAAAgAAAAKAAAAYmluL3N0b3JlZGFzIGl0IGlzUEsDBBQAAAAIAAAAIVwErpcvBwAAAFAAAAAM" +
  "AAAAYmluL2RlZmxhdGVky0vMoyoEAFBLAQIUAxQAAAAAAAAAIVyzJE6WCAAAAAgAAAAKAAAAAAAAAAAAAACAAQAAAABiaW4vc3Rv" +
  "cmVkUEsBAhQDFAAAAAgAAAAhXASuly8HAAAAUAAAAAwAAAAAAAAAAAAAAIABMAAAAGJpbi9kZWZsYXRlZFBLBQYAAAAAAgACAHIA" +
  "AABhAAAAAAA=";
const archive = Buffer.from(packed, "base64");

describe("a ZIP archive", () => {
  it.each([
    ["bin/stored", "as it is"],
    ["bin/deflated", "na".repeat(40)],
  ])("holds %s", (name, content) => expect(readZipEntry(archive, name).toString()).toBe(content));

  it("does not hold what it does not hold", () => {
    expect(() => readZipEntry(archive, "bin/other")).toThrow("the ZIP archive holds no bin/other");
  });

  it("that was damaged is not taken", () => {
    const damaged = Buffer.from(archive);
    damaged.write("AS", archive.indexOf("as it is"));
    expect(() => readZipEntry(damaged, "bin/stored")).toThrow("bin/stored is damaged");
    expect(() => readZipEntry(archive.subarray(0, 100), "bin/stored")).toThrow("this is no ZIP archive");
  });
});
