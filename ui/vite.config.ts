// How the interface is built, served while it is worked on, and tested.
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { requireEqualMessages } from "./messages/require-equal.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ mode }) => ({
  plugins: [requireEqualMessages(at("./messages")), svelte()],
  resolve: {
    alias: {
      "$words/runtime": at("./src/words/runtime.js"),
      $words: at("./src/words/messages.js"),
      $lib: at("./src/lib"),
    },
    // Components under test run in a browser's DOM, not on a server.
    conditions: mode === "test" ? ["browser"] : undefined,
  },
  build: {
    // The oldest web view the program meets is WebKitGTK 2.46.
    target: "safari18",
    // The content security policy allows fonts from the program alone, never from data: URLs.
    assetsInlineLimit: 0,
    // The polyfill would be an inline script's work; WebKit has had modulepreload since Safari 17.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  test: {
    restoreMocks: true,
    // A loaded machine is slow, not wrong.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Vitest leaves one processor alone, which is half of two.
    maxWorkers: "100%",
    // Files share a worker's modules, which hold no state of their own; loading them anew for each takes twice as long.
    isolate: false,
    projects: [
      {
        extends: true,
        test: {
          name: "window",
          environment: "jsdom",
          include: ["tests/*.test.ts"],
          exclude: ["tests/bundle.test.ts"],
          setupFiles: ["tests/setup.ts"],
        },
      },
      // Builds the program's own bundle, as `npm run build` does.
      { extends: true, test: { name: "bundle", environment: "node", include: ["tests/bundle.test.ts"] } },
    ],
  },
}));
