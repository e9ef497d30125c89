import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";

const STATIC = new URL("../../daemon/pattern_sync/web/static/", import.meta.url);

test("every module is asked for at once, and not when another one turns out to need it", () => {
  const html = readFileSync(new URL("index.html", STATIC), "utf8");
  const preloaded = [...html.matchAll(/<link rel="modulepreload" href="(?<name>[^"]+)"/gu)].map((link) => link[1]);
  const modules = readdirSync(STATIC).filter((name) => name.endsWith(".js") && name !== "app.js");
  assert.deepEqual(preloaded, modules.sort());
});
