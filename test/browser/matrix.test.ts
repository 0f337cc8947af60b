// The matrix page in a real browser: it fetches nothing, filters, shows reasons by mouse and by keyboard, and runs no
// script but its own, whatever the files are called.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findProgram, isCi } from "../../scripts/system-tools.ts";
import { fillStore } from "../../src/cli/input.ts";
import { computeMatrix } from "../../src/cli/matrix/compute.ts";
import { type GroupedMatrix, groupMatrix } from "../../src/cli/matrix/groups.ts";
import { formatHtml } from "../../src/cli/matrix/html/page.ts";
import { defaultPorts } from "../../src/cli/matrix/ports.ts";
import { loadTexts } from "../support/manifests.ts";

const MANIFESTS = `
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { containers: [{ name: c, ports: [{ containerPort: 80 }] }] }
status: { podIP: 10.0.0.1 }
---
apiVersion: v1
kind: Pod
metadata: { name: db, namespace: shop, labels: { app: db } }
spec: { containers: [{ name: c, ports: [{ containerPort: 5432 }] }] }
status: { podIP: 10.0.0.2 }
---
apiVersion: v1
kind: Pod
metadata: { name: other, namespace: tools, labels: { app: other } }
spec: { containers: [{ name: c }] }
status: { podIP: 10.0.0.3 }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: only-web, namespace: shop }
spec:
  podSelector: { matchLabels: { app: db } }
  policyTypes: [Ingress]
  ingress:
    - from: [{ podSelector: { matchLabels: { app: web } } }]
      ports: [{ port: 5432 }]
`;

/** Ends attributes, elements and strings, wherever it is put without care. */
const HOSTILE = `"'><script>window.hacked=1</script><img src=x onerror="window.hacked=1"><!--.yaml`;
const LABELS = ["shop/db", "shop/web", "tools/other"];

async function groupedFrom(file: string): Promise<GroupedMatrix> {
  const { store } = fillStore(await loadTexts({ [file]: MANIFESTS })).input;
  return groupMatrix(computeMatrix(store, { ports: defaultPorts(store).ports, addresses: [] }));
}

/** Names that no decoder lets through: the page must not rely on that. */
function withHostileNames(grouped: GroupedMatrix): GroupedMatrix {
  const groups = grouped.groups.map((group) => ({
    ...group,
    namespace: HOSTILE,
    label: `${HOSTILE}${group.label}`,
    shortLabel: `${HOSTILE}${group.shortLabel}`,
  }));
  const endpoints = grouped.matrix.endpoints.map((endpoint) => ({ ...endpoint, name: `${HOSTILE}${endpoint.name}` }));
  return { ...grouped, groups, matrix: { ...grouped.matrix, endpoints } };
}

function chromiumPath(): string | undefined {
  return ["chromium", "chromium-browser", "google-chrome"].map(findProgram).find((path) => path !== undefined);
}

function describeBrowser(name: string, body: (executablePath: string) => void): void {
  const path = chromiumPath();
  if (path !== undefined) {
    describe(name, () => body(path));
    return;
  }
  if (isCi()) throw new Error(`${name}: cannot be left out in CI, but Chromium is missing`);
  process.stderr.write(`NOT RUN: ${name}: Chromium is missing\n`);
  describe.skip(`${name} (not run: Chromium is missing)`, () => body(""));
}

describeBrowser("the matrix page", (executablePath) => {
  const folder = mkdtempSync(join(tmpdir(), "nftpol-matrix-"));
  let browser: Browser | undefined;

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath,
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens the page offline, lets `use` work with it, and checks that it fetched nothing and complained of nothing. */
  async function withPage(grouped: GroupedMatrix, use: (page: Page) => Promise<void>, scripts = true): Promise<void> {
    const file = join(folder, "matrix.html");
    writeFileSync(file, formatHtml(grouped));
    const context = await (browser as Browser).newContext({ offline: true, javaScriptEnabled: scripts });
    try {
      const page = await context.newPage();
      const requests: string[] = [];
      const complaints: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("dialog", (dialog) => complaints.push(dialog.message()));
      const address = pathToFileURL(file).href;
      await page.goto(address);
      await use(page);
      expect(requests.filter((url) => url !== "data:,")).toEqual([address]);
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
    }
  }

  const cellOf = (page: Page, from: string, to: string) =>
    page.locator("#matrix tbody tr").nth(LABELS.indexOf(from)).locator("td").nth(LABELS.indexOf(to));
  const visibleRows = (page: Page) => page.locator("#matrix tbody th:visible").allTextContents();
  const visibleColumns = (page: Page) => page.locator("#matrix thead th:visible:not(.corner)").allTextContents();

  test("shows every group and what each cell allows", async () => {
    await withPage(await groupedFrom("shop.yaml"), async (page) => {
      expect(await visibleRows(page)).toEqual(LABELS);
      expect(await visibleColumns(page)).toEqual(LABELS);
      expect(await cellOf(page, "shop/web", "shop/db").textContent()).toBe("5432/TCP");
      expect(await cellOf(page, "tools/other", "shop/db").textContent()).toBe("-");
      expect(await cellOf(page, "shop/db", "shop/web").textContent()).toBe("all");
    });
  });

  test("filters rows and columns by a part of the name", async () => {
    await withPage(await groupedFrom("shop.yaml"), async (page) => {
      await page.locator("#from").fill("TOOLS");
      expect(await visibleRows(page)).toEqual(["tools/other"]);
      expect(await visibleColumns(page)).toEqual(LABELS);
      await page.locator("#to").fill("shop/");
      expect(await visibleColumns(page)).toEqual(["shop/db", "shop/web"]);
      expect(await page.locator("#count").textContent()).toBe("showing 1 of 3 from, 2 of 3 to");
      await page.locator("#from").fill("nobody");
      expect(await visibleRows(page)).toEqual([]);
      await page.locator("#from").fill("");
      expect(await visibleRows(page)).toEqual(LABELS);
    });
  });

  test("a click shows the reason with policy, file and line, and Escape lets go", async () => {
    await withPage(await groupedFrom("shop.yaml"), async (page) => {
      await cellOf(page, "shop/web", "shop/db").click();
      const details = page.locator("#details");
      expect(await details.locator("h2").textContent()).toBe("shop/web → shop/db");
      const text = (await details.textContent()) ?? "";
      expect(text).toContain("NetworkPolicy shop/only-web allows it with ingress[0].from[0]");
      expect(text).toMatch(/shop\.yaml:\d+/);
      await cellOf(page, "tools/other", "shop/db").hover();
      expect(await details.locator("h2").textContent()).toBe("shop/web → shop/db");
      await page.keyboard.press("Escape");
      expect(await details.locator("h2").count()).toBe(0);
    });
  });

  test("Enter and arrow keys do the same without a mouse", async () => {
    await withPage(await groupedFrom("shop.yaml"), async (page) => {
      await page.locator("#port").focus();
      // A scrollable box may take the focus on the way.
      for (let presses = 0; presses < 5; presses++) {
        await page.keyboard.press("Tab");
        if ((await page.locator("td:focus").count()) === 1) break;
      }
      for (const key of ["ArrowDown", "ArrowDown", "Enter"]) await page.keyboard.press(key);
      expect(await page.locator("td.pinned").count()).toBe(1);
      expect(await page.locator("#details h2").textContent()).toBe("tools/other → shop/db");
      expect(await page.locator("#details").textContent()).toContain("isolated by NetworkPolicy shop/only-web");
    });
  });

  test("one port turns cells into yes and no", async () => {
    await withPage(await groupedFrom("shop.yaml"), async (page) => {
      await page.locator("#port").selectOption({ label: "5432/TCP" });
      expect(await cellOf(page, "shop/web", "shop/db").textContent()).toBe("yes");
      await page.locator("#port").selectOption({ label: "80/TCP" });
      expect(await cellOf(page, "shop/web", "shop/db").textContent()).toBe("-");
      await page.locator("#port").selectOption({ label: "all" });
      expect(await cellOf(page, "shop/web", "shop/db").textContent()).toBe("5432/TCP");
    });
  });

  test("without scripts the table still reads", async () => {
    const look = async (page: Page) => {
      expect(await visibleRows(page)).toEqual(LABELS);
      expect(await page.locator("#tools").isVisible()).toBe(false);
      expect(await page.locator("noscript p").textContent()).toContain("need scripts");
    };
    await withPage(await groupedFrom("shop.yaml"), look, false);
  });

  test("a hostile file name is shown as text and runs nothing", async () => {
    await withPage(await groupedFrom(HOSTILE), async (page) => {
      await cellOf(page, "shop/web", "shop/db").click();
      expect(await page.locator("#details").textContent()).toContain(HOSTILE);
      await expectNothingRan(page);
    });
  });

  test("hostile names are shown as text and run nothing", async () => {
    await withPage(withHostileNames(await groupedFrom("shop.yaml")), async (page) => {
      await cellOf(page, "shop/web", "shop/db").click();
      expect(await page.locator("#details h2").textContent()).toBe(`${HOSTILE}shop/web → ${HOSTILE}shop/db`);
      expect(await page.locator("tbody th").first().getAttribute("title")).toBe(`${HOSTILE}shop/db`);
      await expectNothingRan(page);
    });
  });

  test("the content security policy stops a script that got in all the same", async () => {
    const html = formatHtml(await groupedFrom("shop.yaml"));
    const file = join(folder, "injected.html");
    writeFileSync(file, html.replace("<main>", "<script>window.hacked=1</script><main onclick='window.hacked=1'>"));
    const page = await (browser as Browser).newPage();
    await page.goto(pathToFileURL(file).href);
    await page.locator("td").first().click();
    expect(await page.evaluate(() => "hacked" in globalThis)).toBe(false);
    await page.close();
  });

  async function expectNothingRan(page: Page): Promise<void> {
    expect(await page.evaluate(() => "hacked" in globalThis)).toBe(false);
    expect(await page.locator("img").count()).toBe(0);
    // The data and the page's own.
    expect(await page.locator("script").count()).toBe(2);
  }
});
